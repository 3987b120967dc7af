//! The two secrets of the protocol, wrapped so that printing one shows a mask.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::diagnostics::mask::MASK;
use crate::rest::schema::{Type, Typed};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_itself() {
        let key = ApiKey::new("sk_live_abc");
        assert_eq!(format!("{key:?} {key}"), "ApiKey(***) ***");
        assert_eq!(serde_json::to_string(&Password::new("hunter2")).unwrap(), "\"***\"");
    }
}
