//! The two secrets of the protocol. Their types print a mask instead of the secret.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::diagnostics::mask::MASK;
use crate::rest::schema::{Type, Typed};

macro_rules! secret {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        ///
        /// `Debug`, `Display` and serde's `Serialize` write a mask. Only [`expose`](Self::expose) returns the secret.
        #[derive(Clone, Default, Deserialize, PartialEq, Eq)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a secret.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the secret itself. Send it only to the server, and never print it.
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
    /// The API key of an account. Every REST call sends it as `Authorization: Bearer`.
    ApiKey
}

secret! {
    /// The password of a computer. The WebSocket channels of the computer expect the password as the query parameter
    /// `token`. The password gives access to the screen, a shell and more. The service issues a new password whenever the
    /// computer restarts.
    Password
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_when_they_are_printed() {
        let key = ApiKey::new("sk_live_abc");
        assert_eq!(format!("{key:?} {key}"), "ApiKey(***) ***");
        assert_eq!(serde_json::to_string(&Password::new("hunter2")).unwrap(), "\"***\"");
    }
}
