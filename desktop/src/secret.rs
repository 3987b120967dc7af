//! Values that must not be shown: the API key and the computers' passwords.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// A secret string. Comparisons take constant time. Only [`Secret::expose`] returns the string itself.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Returns a random secret: `prefix`, then `bytes` random bytes in hexadecimal.
    pub(crate) fn random(prefix: &str, bytes: usize) -> Result<Self, getrandom::Error> {
        let mut random = vec![0; bytes];
        getrandom::fill(&mut random)?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(format!("{prefix}{digits}")))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn matches(&self, candidate: &str) -> bool {
        self.0.as_bytes().ct_eq(candidate.as_bytes()).into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_secret() {
        assert_eq!(format!("{:?}", Secret::from("hunter2".to_owned())), "Secret(***)");
    }

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::random("sk_", 16).expect("the system has randomness");
        assert_eq!(secret.expose().len(), 3 + 32);
        assert!(secret.matches(secret.expose()));
        assert!(!secret.matches(""));
        assert!(!secret.matches(&secret.expose()[1..]));
    }
}
