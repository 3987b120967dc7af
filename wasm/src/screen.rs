//! The live screen: drawing from the module's memory, and checking commands on another thread.

use js_sys::Promise;
use orgo_core::channel::screen::{Rect, Screen, ScreenItem};
use orgo_core::channel::{Command, Kind, ScreenSession};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::channel::Channel;
use crate::convert::{error_to_js, map_from_js, object_to_js, to_js, value_from_js};
use crate::promise::promise;

/// Returns the memory of the module, which contains the pixels.
#[wasm_bindgen(js_name = moduleMemory)]
#[must_use]
pub fn module_memory() -> JsValue {
    wasm_bindgen::memory()
}

#[wasm_bindgen]
impl Channel {
    /// Resolves with `true` when anything may have changed, or with `false` after the channel has ended.
    #[wasm_bindgen(js_name = nextChange)]
    pub fn next_change(&self) -> Promise {
        let channel = self.0.clone();
        promise(async move { channel.next_change().await.into() })
    }

    /// Returns the outline of the session, for [`Mirror::follow`].
    #[must_use]
    pub fn outline(&self) -> JsValue {
        self.0.with_screen(|screen| to_js(&screen.outline())).unwrap_or_default()
    }

    /// Starts to collect changes for a view. The whole screen counts as changed.
    #[wasm_bindgen(js_name = startDrawing)]
    pub fn start_drawing(&self) {
        self.0.with_screen(ScreenSession::start_drawing);
    }

    /// Stops to collect changes for a view.
    #[wasm_bindgen(js_name = stopDrawing)]
    pub fn stop_drawing(&self) {
        self.0.with_screen(ScreenSession::stop_drawing);
    }

    /// Returns the address of the pixels, the width and the height of the screen, and then x, y, width and height of each
    /// changed rectangle. Returns `undefined` if nothing has changed, or only a part of an update has arrived.
    #[wasm_bindgen(js_name = pollDrawing)]
    #[must_use]
    pub fn poll_drawing(&self) -> Option<Vec<u32>> {
        self.0.with_screen(|screen| {
            let rects = screen.poll_drawing()?;
            let pixels = screen.framebuffer();
            let address = pixels.pixels().as_ptr() as usize;
            let mut drawing = Vec::with_capacity(3 + 4 * rects.len());
            drawing.push(u32::try_from(address).unwrap_or_default());
            drawing.extend([pixels.width(), pixels.height()].map(u32::from));
            for Rect { x, y, width, height } in rects {
                drawing.extend([x, y, width, height].map(u32::from));
            }
            Some(drawing)
        })?
    }

    /// Returns the shape of the pointer if it has changed.
    #[wasm_bindgen(js_name = pollCursor)]
    #[must_use]
    pub fn poll_cursor(&self) -> JsValue {
        let cursor = self.0.with_screen(|screen| screen.poll_drawn_cursor().cloned()).flatten();
        cursor.map_or(JsValue::UNDEFINED, |cursor| object_to_js(Screen::export(ScreenItem::Cursor(cursor))))
    }
}

/// Checks the commands of a screen whose session is on another thread.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Mirror(ScreenSession);

#[wasm_bindgen]
impl Mirror {
    /// Creates a mirror of a session that is not connected yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "only JavaScript uses it")]
    pub fn new() -> Self {
        Self(ScreenSession::mirror())
    }

    /// Applies the outline of the session.
    pub fn follow(&mut self, outline: &JsValue) {
        // The outline is that of a session, so it is valid.
        if let Ok(outline) = map_from_js("channel", "outline", outline) {
            self.0.follow(&outline);
        }
    }

    /// Returns what a command will return.
    ///
    /// # Errors
    /// An `ErrorRecord` for an unknown command or a wrong argument.
    pub fn check(&mut self, name: &str, argument: &JsValue) -> Result<JsValue, JsValue> {
        value_from_js("channel", name, argument)
            .and_then(|argument| self.0.check(Command { name, argument: &argument }))
            .map(|result| to_js(&result))
            .map_err(|error| error_to_js(&error))
    }

    /// Returns the number of refused commands.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
    pub fn refused(&self) -> f64 {
        self.0.counters().refused as f64
    }

    /// Reports that a requested image has arrived, so that another one can be requested.
    #[wasm_bindgen(js_name = imageArrived)]
    pub fn image_arrived(&mut self) {
        self.0.image_arrived();
    }
}
