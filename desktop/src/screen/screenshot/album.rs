use std::sync::Arc;

use super::Image;
use crate::screen::{ImageFormat, ScreenError};

/// How many pictures of one state of the screen are kept: clients ask for one or two kinds.
const KEPT: usize = 6;

/// What a picture is asked for as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::screen) struct Kind {
    pub(in crate::screen) format: ImageFormat,
    pub(in crate::screen) scale: Option<f32>,
}

/// The encoded pictures of the screen as it is, so that none is encoded twice.
#[derive(Debug, Default)]
pub(in crate::screen) struct Album(Vec<(Kind, Arc<Image>)>);

impl Album {
    /// To be called when the screen looks different.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn find(&self, kind: Kind) -> Option<Arc<Image>> {
        self.0.iter().find(|(kept, _)| *kept == kind).map(|(_, image)| Arc::clone(image))
    }

    /// Keeps the picture that `encode` makes.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        encode: impl FnOnce() -> Result<Image, ScreenError>,
    ) -> Result<Arc<Image>, ScreenError> {
        let image = Arc::new(encode()?);
        if self.0.len() == KEPT {
            self.0.remove(0);
        }
        self.0.push((kind, Arc::clone(&image)));
        Ok(image)
    }
}
