//! The parameter types of screen actions, which check the range of each value.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ScreenError;

const MAX_SECONDS: f64 = 60.0;
/// The maximum number of wheel clicks. A larger number is probably a distance in pixels.
const MAX_WHEEL_CLICKS: u32 = 1000;
const MAX_DELAY_MS: u64 = 1000;

/// A mouse button.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Button {
    #[default]
    Left,
    Middle,
    Right,
}

/// The direction in which the mouse wheel scrolls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Up,
    Down,
    Left,
    Right,
}

/// The encoding of a screenshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ImageFormat {
    #[default]
    Png,
    #[serde(alias = "jpg")]
    Jpeg,
}

impl ImageFormat {
    /// Returns the file name extension without a dot.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }
}

/// The duration of a drag or a wait, 0 to 60 seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionDuration(Duration);

impl ActionDuration {
    /// Creates a duration.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `field` if the duration is out of range.
    pub(crate) fn from_seconds(field: &'static str, seconds: f64) -> Result<Self, ScreenError> {
        if (0.0..=MAX_SECONDS).contains(&seconds) {
            return Ok(Self(Duration::from_secs_f64(seconds)));
        }
        Err(ScreenError::bad_input(field, format!("must be 0 to {MAX_SECONDS} seconds")))
    }

    pub(crate) fn get(self) -> Duration {
        self.0
    }
}

/// The number of wheel clicks of a scroll action, 1 to 1000.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WheelClicks(u32);

impl WheelClicks {
    /// Creates a number of wheel clicks.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `amount` if the number is out of range.
    pub(crate) fn new(amount: i32) -> Result<Self, ScreenError> {
        let clicks = u32::try_from(amount).ok().filter(|clicks| (1..=MAX_WHEEL_CLICKS).contains(clicks));
        let message = || format!("must be 1 to {MAX_WHEEL_CLICKS}");
        clicks.map(Self).ok_or_else(|| ScreenError::bad_input("amount", message()))
    }

    pub(super) fn get(self) -> u32 {
        self.0
    }
}

/// The pause after each typed character, 0 to 1000 milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TypingDelay(Duration);

impl TypingDelay {
    /// Creates a delay.
    ///
    /// # Errors
    ///
    /// [`ScreenError::BadInput`] for `delay_ms` if the delay is out of range.
    pub(crate) fn from_millis(delay: u64) -> Result<Self, ScreenError> {
        if delay > MAX_DELAY_MS {
            return Err(ScreenError::bad_input("delay_ms", format!("must be 0 to {MAX_DELAY_MS}")));
        }
        Ok(Self(Duration::from_millis(delay)))
    }

    pub(super) fn get(self) -> Duration {
        self.0
    }
}
