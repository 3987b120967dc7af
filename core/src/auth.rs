//! The two secrets of the protocol, wrapped so that printing one shows a mask.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::schema::{Type, Typed};

const MASK: &str = "***";

macro_rules! secret {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        ///
        /// `Debug`, `Display` and serde's `Serialize` show a mask; [`expose`](Self::expose) is the only way to the text.
        #[derive(Clone, Default, Deserialize, PartialEq, Eq)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text of a secret.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself, for the wire and nothing else.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(***)"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(MASK)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(MASK)
            }
        }

        impl Typed for $name {
            const TYPE: Type = Type::Secret;
        }
    };
}

secret! {
    /// The account's API key, sent as `Authorization: Bearer` with every REST call.
    ApiKey
}

secret! {
    /// A computer's password, the `token` of its WebSocket channels. It opens the screen, a shell and more, and
    /// a new one is issued whenever the computer restarts (G3).
    Password
}

/// Response fields whose values are secrets, masked wherever a raw body is kept.
const SECRET_FIELDS: [&str; 4] = ["password", "vnc_password", "vnc_password_encrypted", "desktop_api_token"];

/// The longest part of a raw body that an error keeps, in bytes.
const KEPT_BODY: usize = 4096;

/// A raw body as an error may keep it: at most 4 KiB, without the key it was asked with and without the values
/// of fields that hold passwords.
#[must_use]
pub fn redact(body: &[u8], key: Option<&ApiKey>) -> String {
    let mut text = String::from_utf8_lossy(&body[..body.len().min(4 * KEPT_BODY)]).into_owned();
    if let Some(key) = key.filter(|key| !key.expose().is_empty()) {
        text = text.replace(key.expose(), MASK);
    }
    for field in SECRET_FIELDS {
        text = mask_values(&text, field);
    }
    if text.len() > KEPT_BODY {
        text.truncate(text.floor_char_boundary(KEPT_BODY));
        text.push('…');
    }
    text
}

/// Replaces each string that follows `"field":`. It works on text, not on parsed JSON, because a body that an
/// error keeps is often the one that did not parse.
fn mask_values(text: &str, field: &str) -> String {
    let name = format!("\"{field}\"");
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&name) {
        let (before, after) = rest.split_at(at + name.len());
        masked.push_str(before);
        rest = after;
        let value = after.trim_start();
        let Some(value) = value.strip_prefix(':').map(str::trim_start) else { continue };
        let Some(quoted) = value.strip_prefix('"') else { continue };
        masked.push_str(":\"");
        masked.push_str(MASK);
        let mut escaped = false;
        let end = quoted.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        rest = end.map_or("", |end| &quoted[end..]);
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        let key = ApiKey::new("sk_live_abc");
        assert_eq!(format!("{key:?} {key}"), "ApiKey(***) ***");
        assert_eq!(serde_json::to_string(&Password::new("hunter2")).unwrap(), "\"***\"");
    }

    #[test]
    fn a_kept_body_holds_no_secret() {
        let body = br#"{"id":"c1","vnc_password" : "hu\"nter2","note":"key sk_live_abc"}"#;
        let kept = redact(body, Some(&ApiKey::new("sk_live_abc")));
        assert_eq!(kept, r#"{"id":"c1","vnc_password":"***","note":"key ***"}"#);
    }

    #[test]
    fn a_value_cut_off_in_the_middle_is_masked_too() {
        assert_eq!(redact(br#"{"password":"hunt"#, None), r#"{"password":"***"#);
    }

    #[test]
    fn a_kept_body_is_bounded() {
        assert!(redact(&vec![b'x'; 1 << 20], None).len() < KEPT_BODY + 8);
    }
}
