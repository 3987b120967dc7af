//! The changed parts of a screen, as a small number of rectangles.

use super::framebuffer::Rect;
use crate::prelude::*;

/// The largest number of rectangles. Above it, one rectangle contains all changes.
const MAX_RECTS: usize = 64;

/// A set of changed rectangles. Up to [`MAX_RECTS`] rectangles, it covers exactly the changed pixels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Damage(Vec<Rect>);

impl Damage {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn take(&mut self) -> Vec<Rect> {
        core::mem::take(&mut self.0)
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for &rect in &other.0 {
            self.add(rect);
        }
    }

    pub(super) fn add(&mut self, mut rect: Rect) {
        if rect.area() == 0 {
            return;
        }
        // Each join can make another join possible.
        let mut at = 0;
        while at < self.0.len() {
            let other = self.0[at];
            if other.contains(rect) {
                return;
            }
            if let Some(joined) = join(rect, other) {
                self.0.swap_remove(at);
                rect = joined;
                at = 0;
            } else {
                at += 1;
            }
        }
        self.0.push(rect);
        if self.0.len() > MAX_RECTS {
            let all = self.0.iter().copied().reduce(around);
            self.0.clear();
            self.0.extend(all);
        }
    }
}

/// Returns the union of two rectangles if the union is a rectangle.
fn join(a: Rect, b: Rect) -> Option<Rect> {
    let same_columns = a.x == b.x && a.width == b.width;
    let same_rows = a.y == b.y && a.height == b.height;
    let touch_rows = u32::from(a.y) <= b.bottom() && u32::from(b.y) <= a.bottom();
    let touch_columns = u32::from(a.x) <= b.right() && u32::from(b.x) <= a.right();
    let joins = a.contains(b) || same_columns && touch_rows || same_rows && touch_columns;
    joins.then(|| around(a, b))
}

/// Returns the smallest rectangle that contains both rectangles.
fn around(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let side = |end: u32, start: u16| u16::try_from(end - u32::from(start)).unwrap_or(u16::MAX);
    let width = side(a.right().max(b.right()), x);
    let height = side(a.bottom().max(b.bottom()), y);
    Rect { x, y, width, height }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: u16 = 24;

    fn covered(rects: &[Rect]) -> Vec<bool> {
        let mut pixels = vec![false; usize::from(SIDE) * usize::from(SIDE)];
        for rect in rects {
            for y in rect.y..rect.y + rect.height {
                for x in rect.x..rect.x + rect.width {
                    pixels[usize::from(y * SIDE + x)] = true;
                }
            }
        }
        pixels
    }

    #[test]
    fn damage_covers_exactly_the_changed_pixels() {
        // The generator of `minstd`.
        let mut state = 1_u64;
        let mut number = |limit: u16| {
            state = state * 48_271 % 0x7fff_ffff;
            u16::try_from(state % (u64::from(limit) + 1)).unwrap()
        };
        for _ in 0..2_000 {
            let mut damage = Damage::default();
            let mut added = Vec::new();
            for _ in 0..=number(40) {
                let (x, y) = (number(SIDE - 1), number(SIDE - 1));
                let rect = Rect { x, y, width: number(SIDE - x), height: number(SIDE - y) };
                damage.add(rect);
                added.push(rect);
            }
            let rects = damage.take();
            assert!(rects.len() <= added.len());
            assert_eq!(covered(&rects), covered(&added), "{added:?}");
        }
    }

    #[test]
    fn bands_of_one_column_become_one_rectangle() {
        let mut damage = Damage::default();
        for y in (0..10).rev() {
            damage.add(Rect { x: 3, y, width: 5, height: 1 });
        }
        assert_eq!(damage.take(), [Rect { x: 3, y: 0, width: 5, height: 10 }]);
    }

    #[test]
    fn many_rectangles_become_the_rectangle_around_them() {
        let mut damage = Damage::default();
        for step in 0..=64 {
            damage.add(Rect { x: step * 2, y: step * 2, width: 1, height: 1 });
        }
        assert_eq!(damage.take(), [Rect { x: 0, y: 0, width: 129, height: 129 }]);
    }
}
