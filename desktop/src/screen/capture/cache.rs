//! A cache of the encoded images of the current screen.

use std::sync::Arc;

use super::Image;
use crate::screen::{ImageFormat, ScreenError};

/// The maximum number of cached images. Clients usually request one or two combinations of options.
const MAX_IMAGES: usize = 6;

/// The maximum total size of the cached images in bytes. A single cached image may be larger.
const MAX_BYTES: usize = 32 << 20;

/// The requested format and scale of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::screen) struct ImageOptions {
    pub(in crate::screen) format: ImageFormat,
    pub(in crate::screen) scale: Option<f32>,
}

/// The encoded images of the current screen, each with its options. The oldest image is first.
#[derive(Debug, Default)]
pub(in crate::screen) struct ImageCache(Vec<(ImageOptions, Arc<Image>)>);

impl ImageCache {
    /// Removes all images. Call this after each change of the screen.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn get(&self, options: ImageOptions) -> Option<Arc<Image>> {
        self.0.iter().find(|(kept, _)| *kept == options).map(|(_, image)| Arc::clone(image))
    }

    /// Adds the image that `encode` returns. Evicts the oldest images if the cache exceeds a limit.
    pub(super) fn add(
        &mut self,
        options: ImageOptions,
        encode: impl FnOnce() -> Result<Image, ScreenError>,
    ) -> Result<Arc<Image>, ScreenError> {
        let image = Arc::new(encode()?);
        self.0.push((options, Arc::clone(&image)));
        let bytes = |kept: &[(ImageOptions, Arc<Image>)]| {
            kept.iter().map(|(_, image)| image.bytes.len()).sum::<usize>()
        };
        while self.0.len() > MAX_IMAGES || (self.0.len() > 1 && bytes(&self.0) > MAX_BYTES) {
            self.0.remove(0);
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_images_evict_older_ones() {
        let mut cache = ImageCache::default();
        let options =
            |step: u8| ImageOptions { format: ImageFormat::Png, scale: Some(1.0 / f32::from(step)) };
        let mut add = |step, size| {
            let image = Image { bytes: vec![0; size], mime_type: "image/png", width: 1, height: 1 };
            cache.add(options(step), || Ok(image)).unwrap();
            (1..=10).filter(|&step| cache.get(options(step)).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(add(1, MAX_BYTES / 2), [1]);
        assert_eq!(add(2, MAX_BYTES / 2), [1, 2]);
        assert_eq!(add(3, 1), [2, 3]);
        assert_eq!(add(4, MAX_BYTES * 2), [4]);
        assert_eq!((5..=10).map(|step| add(step, 0)).last().unwrap(), [5, 6, 7, 8, 9, 10]);
    }
}
