//! Links that open content without a key, for an hour: the path and the time are signed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use crate::secret::Secret;

/// How long a link opens.
const LIFE: Duration = Duration::from_secs(3600);

/// Makes links and checks them, with a key that never leaves the server.
#[derive(Debug)]
pub(crate) struct Linker(Secret);

/// The query of a link.
#[derive(Debug, Deserialize)]
pub(crate) struct Signature {
    /// Seconds since 1970.
    expires: u64,
    /// HMAC-SHA256 in hexadecimal.
    signature: String,
}

impl Linker {
    pub(crate) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// The query that opens `subject` for an hour from now.
    pub(crate) fn query(&self, subject: &str) -> String {
        self.query_at(subject, SystemTime::now() + LIFE)
    }

    fn query_at(&self, subject: &str, end: SystemTime) -> String {
        let expires = seconds(end);
        let signature: String = self
            .mac(subject, expires)
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("expires={expires}&signature={signature}")
    }

    /// Whether a link opens `subject` now.
    pub(crate) fn opens(&self, subject: &str, link: &Signature) -> bool {
        let signed = unhex(&link.signature)
            .is_some_and(|signature| self.mac(subject, link.expires).verify_slice(&signature).is_ok());
        signed && seconds(SystemTime::now()) < link.expires
    }

    fn mac(&self, subject: &str, expires: u64) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes()).expect("a key of any length will do");
        mac.update(format!("{expires}/{subject}").as_bytes());
        mac
    }
}

fn seconds(time: SystemTime) -> u64 {
    // A clock before 1970 ends every link at once.
    time.duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() {
        return None;
    }
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linker() -> Linker {
        Linker::new(Secret::from("key".to_owned()))
    }

    fn read(query: &str) -> Signature {
        let (expires, signature) = query.split_once('&').expect("it has two parts");
        Signature {
            expires: expires.strip_prefix("expires=").expect("it says so").parse().expect("it is a number"),
            signature: signature.strip_prefix("signature=").expect("it says so").to_owned(),
        }
    }

    #[test]
    fn a_link_opens_what_it_was_made_for_and_nothing_else() {
        let linker = linker();
        let link = read(&linker.query("files/1"));
        assert!(linker.opens("files/1", &link));
        assert!(!linker.opens("files/2", &link));
        assert!(!Linker::new(Secret::from("other".to_owned())).opens("files/1", &link));
        let longer = Signature { expires: link.expires + 1, signature: link.signature };
        assert!(!linker.opens("files/1", &longer));
        for signature in ["", "0", "zz", "é", "00"] {
            assert!(!linker.opens("files/1", &Signature { expires: u64::MAX, signature: signature.into() }));
        }
    }

    #[test]
    fn a_link_ends() {
        let linker = linker();
        let ended = read(&linker.query_at("files/1", SystemTime::now() - Duration::from_secs(1)));
        assert!(!linker.opens("files/1", &ended));
    }
}
