//! A mirror of a screen, which checks commands on another thread than the screen.
//!
//! In a page, a worker has the screen. A command still has to return at once, or to fail with the name of a wrong field.
//! The mirror follows the outline of the screen, so the same code checks the commands on both threads.

use crate::framebuffer::Framebuffer;
use crate::interface::{Argument, Condition, InputRefusal, Invalid, Record};
use crate::prelude::*;
use crate::{Reply, Screen, ScreenOptions};

/// The flags in the numbers of an outline.
const OPEN: u32 = 1;
const RESIZABLE: u32 = 1 << 1;
const EXTENDED_BUTTONS: u32 = 1 << 2;
const UNICODE: u32 = 1 << 3;
/// The bits of the refusal: zero, or the index plus one.
const REFUSAL: u32 = 4;

impl Screen {
    /// Creates a mirror. It never connects.
    #[must_use]
    pub fn mirror() -> Self {
        let mut mirror = Self::new(ScreenOptions::default());
        mirror.mirrored = Some(Some(InputRefusal::Disconnected));
        mirror
    }

    /// Returns the part of the state that the checks of commands depend on: the width, the height, and flags for
    /// [`follow`](Self::follow).
    #[must_use]
    pub fn outline(&self) -> [u32; 3] {
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let refusal = self.refusal().map_or(0, |refusal| refusal as u32 + 1);
        let flags = flag(self.is_open(), OPEN)
            | flag(self.connection.is_resizable(), RESIZABLE)
            | flag(self.input.extended_buttons, EXTENDED_BUTTONS)
            | flag(self.clipboard.is_unicode(), UNICODE)
            | refusal << REFUSAL;
        [self.framebuffer.width().into(), self.framebuffer.height().into(), flags]
    }

    /// Applies the outline of the screen to its mirror.
    pub fn follow(&mut self, [width, height, flags]: [u32; 3]) {
        let has = |flag: u32| flags & flag != 0;
        let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
        self.framebuffer = Framebuffer::without_pixels(side(width), side(height));
        self.connection.set_resizable(has(RESIZABLE));
        self.input.extended_buttons = has(EXTENDED_BUTTONS);
        self.clipboard.set_unicode(has(UNICODE));
        self.condition = if has(OPEN) { Condition::Open } else { Condition::Disconnected };
        self.mirrored = Some(match flags >> REFUSAL {
            1 => Some(InputRefusal::Disconnected),
            2 => Some(InputRefusal::Unstable),
            3 => Some(InputRefusal::Full),
            4 => Some(InputRefusal::ViewOnly),
            _ => None,
        });
    }

    /// Executes a command in the mirror: checks it, and remembers where the pointer is. Returns what the screen will
    /// return for the same command.
    ///
    /// # Errors
    /// An error for an unknown command or a wrong argument.
    pub fn check<Value: Argument, Object: Record>(
        &mut self,
        name: &str,
        argument: &Value,
    ) -> Result<Reply<Object>, Box<Invalid>> {
        let result = self.command(name, argument);
        // The screen sends the input.
        self.input.discard();
        self.connection.poll_output(&self.framebuffer);
        self.clipboard.forget();
        result
    }

    /// Returns the number of refused commands.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.counters.refused
    }

    /// Reports that a requested image has arrived, so that the mirror accepts another request.
    pub fn image_arrived(&mut self) {
        if !self.unread.images.is_empty() {
            self.unread.images.remove(0);
        }
    }
}
