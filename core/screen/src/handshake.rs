//! The handshake of RFB 3.3, 3.7 and 3.8.

use core::fmt;

use des::Des;
use des::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};

use super::reader::{Read, Reader, Stop, lossy};
use crate::prelude::*;

/// The largest text that a server may send, in bytes.
const MAX_TEXT: usize = 1 << 16;
const TEXT_TOO_LONG: &str = "a text of the handshake is too long";

const SECURITY_NONE: u8 = 1;
const SECURITY_VNC: u8 = 2;

/// The version of the protocol. A server of an unknown later version gets 3.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    V3_3,
    V3_7,
    V3_8,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Version,
    SecurityTypes,
    Challenge,
    SecurityResult { password: bool },
    Init,
}

/// A password, which `Debug` does not show.
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The handshake on one socket.
#[derive(Debug)]
pub(super) struct Handshake {
    stage: Stage,
    version: Version,
    password: Secret,
}

/// The result of a step of the handshake.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Continue,
    /// The server refused the password, with its reason.
    PasswordRefused(String),
    /// The server refused the connection, with its reason.
    Refused(String),
    /// The handshake is complete. The screen has this width and height.
    Done(u16, u16),
}

impl Handshake {
    pub(super) fn new(password: Option<&str>) -> Self {
        Self {
            stage: Stage::Version,
            version: Version::V3_8,
            password: Secret(password.unwrap_or_default().to_owned()),
        }
    }

    /// Handles the next message, and adds the response to `output`.
    pub(super) fn step(&mut self, reader: &mut Reader<'_>, output: &mut Vec<u8>) -> Read<Step> {
        match self.stage {
            Stage::Version => {
                self.version = version(reader.array()?)?;
                output.extend_from_slice(match self.version {
                    Version::V3_3 => b"RFB 003.003\n",
                    Version::V3_7 => b"RFB 003.007\n",
                    Version::V3_8 => b"RFB 003.008\n",
                });
                self.stage = Stage::SecurityTypes;
            }
            Stage::SecurityTypes if self.version == Version::V3_3 => {
                // The server decides. Zero means that it refuses the connection.
                match reader.u32()? {
                    0 => return Ok(Step::Refused(text(reader)?)),
                    1 => self.start(output, SECURITY_NONE),
                    2 => self.start(output, SECURITY_VNC),
                    _ => return Err(Stop::Invalid(UNKNOWN_SECURITY)),
                }
            }
            Stage::SecurityTypes => {
                let count = reader.u8()?;
                if count == 0 {
                    return Ok(Step::Refused(text(reader)?));
                }
                let types = reader.take(count.into())?;
                let known =
                    types.iter().copied().filter(|kind| matches!(*kind, SECURITY_NONE | SECURITY_VNC));
                let kind = known.min().ok_or(Stop::Invalid(UNKNOWN_SECURITY))?;
                output.push(kind);
                self.start(output, kind);
            }
            Stage::Challenge => {
                let challenge = reader.array()?;
                output.extend_from_slice(&response(&self.password.0, challenge));
                self.stage = Stage::SecurityResult { password: true };
            }
            Stage::SecurityResult { password } => {
                if reader.u32()? == 0 {
                    self.initialize(output);
                    return Ok(Step::Continue);
                }
                let reason = if self.version == Version::V3_8 { text(reader)? } else { String::new() };
                return Ok(if password { Step::PasswordRefused(reason) } else { Step::Refused(reason) });
            }
            Stage::Init => {
                let (width, height) = (reader.u16()?, reader.u16()?);
                // The pixel format of the server does not matter, because the client sets another format.
                reader.take(16)?;
                let name = reader.length(MAX_TEXT, TEXT_TOO_LONG)?;
                reader.take(name)?;
                return Ok(Step::Done(width, height));
            }
        }
        Ok(Step::Continue)
    }

    fn start(&mut self, output: &mut Vec<u8>, kind: u8) {
        if kind == SECURITY_VNC {
            self.stage = Stage::Challenge;
        } else if self.version == Version::V3_8 {
            self.stage = Stage::SecurityResult { password: false };
        } else {
            self.initialize(output);
        }
    }

    /// Sends `ClientInit`, which permits other clients to stay connected.
    fn initialize(&mut self, output: &mut Vec<u8>) {
        output.push(1);
        self.stage = Stage::Init;
    }
}

const UNKNOWN_SECURITY: &str = "the server offers neither the security type None nor VNC authentication";

fn version(bytes: [u8; 12]) -> Read<Version> {
    let is_version = bytes.iter().zip(b"RFB ddd.ddd\n").all(|(byte, expected)| match expected {
        b'd' => byte.is_ascii_digit(),
        _ => byte == expected,
    });
    // Digits have the order of their numbers.
    match (&bytes[4..7], &bytes[8..11]) {
        (b"003", minor) if is_version && minor < b"007" => Ok(Version::V3_3),
        (b"003", b"007") if is_version => Ok(Version::V3_7),
        (major, _) if is_version && major >= b"003" => Ok(Version::V3_8),
        _ => Err(Stop::Invalid("the server does not speak RFB")),
    }
}

fn text(reader: &mut Reader<'_>) -> Read<String> {
    let length = reader.length(MAX_TEXT, TEXT_TOO_LONG)?;
    reader.take(length).map(lossy)
}

/// Encrypts a challenge with the first eight bytes of the password. In VNC authentication, the key has the bits of each
/// byte in reverse order.
fn response(password: &str, challenge: [u8; 16]) -> [u8; 16] {
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(password.bytes()) {
        *to = from.reverse_bits();
    }
    let cipher = Des::new(&Array::from(key));
    let mut response = challenge;
    for half in response.as_chunks_mut::<8>().0 {
        let mut block = Array::from(*half);
        cipher.encrypt_block(&mut block);
        *half = block.into();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_response_is_the_des_encryption_of_the_challenge() {
        // Computed by OpenSSL: `openssl enc -des-ecb -nopad` with the key of reversed bits.
        let challenge = core::array::from_fn(|at| u8::try_from(at).unwrap());
        let expected = response("password", challenge);
        assert_eq!(response("password and more", challenge), expected, "only eight bytes count");
        assert_ne!(response("passworD", challenge), expected);
        assert_eq!(expected, EXPECTED);
    }

    const EXPECTED: [u8; 16] =
        [0xb8, 0x66, 0x92, 0x41, 0x25, 0xc8, 0xee, 0xbb, 0x9d, 0xeb, 0xc1, 0xdb, 0x61, 0xc5, 0x38, 0xe2];

    #[test]
    fn only_the_versions_of_rfb_are_accepted() {
        let parsed = |text: &[u8; 12]| version(*text);
        assert_eq!(parsed(b"RFB 003.003\n"), Ok(Version::V3_3));
        assert_eq!(parsed(b"RFB 003.005\n"), Ok(Version::V3_3));
        assert_eq!(parsed(b"RFB 003.007\n"), Ok(Version::V3_7));
        assert_eq!(parsed(b"RFB 003.008\n"), Ok(Version::V3_8));
        assert_eq!(parsed(b"RFB 003.889\n"), Ok(Version::V3_8));
        assert_eq!(parsed(b"RFB 005.000\n"), Ok(Version::V3_8));
        for wrong in [b"RFB 002.008\n", b"HTTP/1.1 200", b"RFB 0x3.008\n", b"RFB 003:008\n"] {
            assert!(parsed(wrong).is_err());
        }
    }
}
