use std::sync::Arc;

use super::Image;
use crate::screen::{ImageFormat, ScreenError};

/// How many pictures of one state of the screen are kept: clients ask for one or two kinds.
const KEPT: usize = 6;

/// Most bytes of all images together, unless there is only one: an image of noise is as large as the screen.
const KEPT_BYTES: usize = 32 << 20;

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
        self.0.push((kind, Arc::clone(&image)));
        let bytes =
            |kept: &[(Kind, Arc<Image>)]| kept.iter().map(|(_, image)| image.bytes.len()).sum::<usize>();
        while self.0.len() > KEPT || (self.0.len() > 1 && bytes(&self.0) > KEPT_BYTES) {
            self.0.remove(0);
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_make_room_for_one_another() {
        let mut album = Album::default();
        let kind = |step: u8| Kind { format: ImageFormat::Png, scale: Some(1.0 / f32::from(step)) };
        let mut add = |step, size| {
            let image = Image { bytes: vec![0; size], mime_type: "image/png", width: 1, height: 1 };
            album.add(kind(step), || Ok(image)).unwrap();
            (1..=10).filter(|&step| album.find(kind(step)).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(add(1, KEPT_BYTES / 2), [1]);
        assert_eq!(add(2, KEPT_BYTES / 2), [1, 2]);
        assert_eq!(add(3, 1), [2, 3]);
        assert_eq!(add(4, KEPT_BYTES * 2), [4]);
        assert_eq!((5..=10).map(|step| add(step, 0)).last().unwrap(), [5, 6, 7, 8, 9, 10]);
    }
}
