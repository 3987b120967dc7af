//! Signed links, which give access to content for one hour without the API key. The signature covers the path and the
//! expiry time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;

use crate::secret::Secret;

/// The lifetime of a link.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Signs and verifies links with a key that never leaves the server.
#[derive(Debug)]
pub(crate) struct LinkSigner(Secret);

/// The query parameters of a signed link.
#[derive(Debug, Deserialize)]
pub(crate) struct LinkQuery {
    /// The expiry time in seconds since the Unix epoch.
    expires: u64,
    /// The HMAC-SHA256 in hexadecimal.
    signature: String,
}

impl LinkSigner {
    pub(crate) fn new(key: Secret) -> Self {
        Self(key)
    }

    /// Returns the query string that gives access to `subject` for one hour.
    pub(crate) fn query(&self, subject: &str) -> String {
        self.query_until(subject, SystemTime::now() + LIFETIME)
    }

    fn query_until(&self, subject: &str, expiry: SystemTime) -> String {
        let expires = seconds(expiry);
        let signature: String = self
            .mac(subject, expires)
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("expires={expires}&signature={signature}")
    }

    /// Returns whether the signature is valid for `subject` and the link has not expired.
    pub(crate) fn verify(&self, subject: &str, query: &LinkQuery) -> bool {
        let signed = decode_hex(&query.signature)
            .is_some_and(|signature| self.mac(subject, query.expires).verify_slice(&signature).is_ok());
        signed && seconds(SystemTime::now()) < query.expires
    }

    fn mac(&self, subject: &str, expires: u64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes())
            .expect("HMAC accepts keys of any length");
        mac.update(format!("{expires}/{subject}").as_bytes());
        mac
    }
}

fn seconds(time: SystemTime) -> u64 {
    // If the clock is before 1970, every link counts as expired.
    time.duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks_exact(2);
    if !digits.remainder().is_empty() {
        return None;
    }
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> LinkSigner {
        LinkSigner::new(Secret::from("key".to_owned()))
    }

    fn read(query: &str) -> LinkQuery {
        let (expires, signature) = query.split_once('&').expect("the query has two parameters");
        LinkQuery {
            expires: expires
                .strip_prefix("expires=")
                .expect("the first is expires")
                .parse()
                .expect("it is a number"),
            signature: signature.strip_prefix("signature=").expect("the second is signature").to_owned(),
        }
    }

    #[test]
    fn a_link_gives_access_only_to_the_path_it_was_signed_for() {
        let signer = signer();
        let link = read(&signer.query("files/1"));
        assert!(signer.verify("files/1", &link));
        assert!(!signer.verify("files/2", &link));
        assert!(!LinkSigner::new(Secret::from("other".to_owned())).verify("files/1", &link));
        let longer = LinkQuery { expires: link.expires + 1, signature: link.signature };
        assert!(!signer.verify("files/1", &longer));
        for signature in ["", "0", "zz", "é", "00"] {
            assert!(!signer.verify("files/1", &LinkQuery { expires: u64::MAX, signature: signature.into() }));
        }
    }

    #[test]
    fn a_link_expires() {
        let signer = signer();
        let expired = read(&signer.query_until("files/1", SystemTime::now() - Duration::from_secs(1)));
        assert!(!signer.verify("files/1", &expired));
    }
}
