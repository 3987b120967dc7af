//! Creates the cookie of an X display. Clients need the cookie if other users of the host can reach the display's
//! socket.

use std::fmt;

/// The address family `FamilyWild`: an entry with this family applies to every host and display.
const ANY_FAMILY: u16 = 0xffff;
const LENGTH: usize = 16;

/// A cookie. Its `Debug` output does not contain the bytes.
#[derive(Clone)]
pub(crate) struct XCookie([u8; LENGTH]);

impl XCookie {
    /// The name of the file from which X clients read the cookie.
    pub(super) const FILE: &str = "Xauthority";
    /// The name of the authorization method in the X protocol.
    pub(crate) const METHOD: &str = "MIT-MAGIC-COOKIE-1";

    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; LENGTH];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the content of the `Xauthority` file.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = ANY_FAMILY.to_be_bytes().to_vec();
        for field in [&[][..], &[], Self::METHOD.as_bytes(), &self.0] {
            file.extend(u16::try_from(field.len()).unwrap_or_default().to_be_bytes());
            file.extend(field);
        }
        file
    }
}

impl fmt::Debug for XCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("XCookie(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_one_entry_for_all_hosts_and_displays() {
        let file = XCookie([7; LENGTH]).file();
        assert_eq!(file[..6], [0xff, 0xff, 0, 0, 0, 0]);
        assert_eq!(file[6..8], [0, 18]);
        assert_eq!(&file[8..26], XCookie::METHOD.as_bytes());
        assert_eq!(file[26..], [&[0, 16][..], &[7; 16]].concat());
    }

    #[test]
    fn debug_output_hides_the_cookie() {
        assert_eq!(format!("{:?}", XCookie([7; LENGTH])), "XCookie(***)");
    }
}
