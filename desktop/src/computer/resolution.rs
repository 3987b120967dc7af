//! The size of a computer's screen, in the format of the protocol: `WIDTHxHEIGHTxDEPTH`.

use std::fmt;
use std::str::FromStr;

/// A screen size in pixels. The color depth is always 24 bits, the only depth that screenshots and viewers support.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Resolution {
    pub(crate) width: u16,
    pub(crate) height: u16,
}

impl Resolution {
    const DEPTH: u8 = 24;
}

impl Default for Resolution {
    fn default() -> Self {
        Self { width: 1280, height: 720 }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}x{}x{}", self.width, self.height, Self::DEPTH)
    }
}

impl FromStr for Resolution {
    type Err = &'static str;

    /// Parses `WIDTHxHEIGHTxDEPTH` or `WIDTHxHEIGHT`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "must be WIDTHxHEIGHTxDEPTH, such as 1280x720x24";
        let mut parts = text.split('x').map(|part| part.parse::<u16>().map_err(|_| EXPECTED));
        let mut next = || parts.next().transpose();
        let (Some(width), Some(height), depth) = (next()?, next()?, next()?) else {
            return Err(EXPECTED);
        };
        if next()?.is_some() {
            return Err(EXPECTED);
        }
        if depth.is_some_and(|depth| depth != u16::from(Self::DEPTH)) {
            return Err("has an unsupported depth, must be 24");
        }
        if !(320..=7680).contains(&width) || !(240..=4320).contains(&height) {
            return Err("must be between 320x240x24 and 7680x4320x24");
        }
        Ok(Self { width, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_reverses_formatting() {
        let size = Resolution { width: 1920, height: 1080 };
        assert_eq!(size.to_string().parse(), Ok(size));
        assert_eq!("1920x1080".parse(), Ok(size));
    }

    #[test]
    fn invalid_sizes_are_refused() {
        for text in
            ["", "1280", "x", "1280x720x24x1", "1280x720x16", "0x0x24", "99999x1x24", "-1x720x24", "axbxc"]
        {
            assert!(text.parse::<Resolution>().is_err(), "{text:?} was accepted");
        }
    }
}
