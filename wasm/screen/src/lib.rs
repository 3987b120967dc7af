//! The module of the screen: everything except the connection, which the module of the channels runs. It calls the methods of
//! [`Screen`]. A mirror of a screen on another thread is the same class.
//!
//! The module uses no standard library, whose panic messages and formatting are a tenth of the module. It exchanges plain data with
//! JavaScript without JSON, for the same reason.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod plain;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use orgo_screen::{Argument as _, Condition, Invalid, Record as _, Rect, Reply, ScreenItem, ScreenOptions};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use self::plain::Plain;

/// This allocator is less than half as large as the one of the standard library. It exists only for WebAssembly.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Traps. The call from JavaScript then throws.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// A screen, or a mirror of a screen.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Screen {
    screen: orgo_screen::Screen,
    /// The text of the last outcome.
    problem: String,
}

/// The methods for the session, which is in the other module.
#[wasm_bindgen]
impl Screen {
    /// Creates a screen without a connection.
    ///
    /// # Errors
    /// An `ErrorRecord` for an invalid option, with its name.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<Self, JsValue> {
        let options = Plain::new(options);
        let options = ScreenOptions::read(|name| options.field(name)).map_err(|error| error_to_js(&error))?;
        Ok(Self::of(orgo_screen::Screen::new(options)))
    }

    fn of(screen: orgo_screen::Screen) -> Self {
        Self { screen, problem: String::new() }
    }

    #[wasm_bindgen(js_name = isViewOnly)]
    #[must_use]
    pub fn is_view_only(&self) -> bool {
        self.screen.is_view_only()
    }

    #[allow(clippy::needless_pass_by_value, reason = "JavaScript passes its own copy")]
    pub fn open(&mut self, password: Option<String>) {
        self.screen.open(password.as_deref());
    }

    pub fn accepted(&mut self, after_break: bool) {
        self.screen.accepted(after_break);
    }

    #[wasm_bindgen(js_name = setCondition)]
    pub fn set_condition(&mut self, condition: u32) {
        self.screen.set_condition(Condition::with_number(condition));
    }

    /// Handles a message. Returns the number of the outcome.
    pub fn receive(&mut self, now: f64, bytes: &[u8]) -> u32 {
        self.screen.set_now(millis(now));
        let (number, problem) = self.screen.receive(bytes).parts();
        self.problem = problem;
        number
    }

    /// Returns the text of the last outcome.
    #[must_use]
    pub fn problem(&self) -> String {
        self.problem.clone()
    }

    #[wasm_bindgen(js_name = pushError)]
    pub fn push_error(&mut self, message: String) {
        self.screen.push_error(message);
    }

    #[must_use]
    pub fn received(&self) -> f64 {
        count(self.screen.counters().received)
    }

    #[must_use]
    pub fn taken(&self) -> f64 {
        count(self.screen.counters().taken)
    }

    /// Returns the number of refused commands.
    #[must_use]
    pub fn refused(&self) -> f64 {
        count(self.screen.counters().refused)
    }

    #[must_use]
    pub fn ping(&self) -> Option<Vec<u8>> {
        self.screen.ping()
    }

    #[wasm_bindgen(js_name = pollTimeout)]
    #[must_use]
    pub fn poll_timeout(&self) -> Option<f64> {
        self.screen.poll_timeout().map(count)
    }

    #[wasm_bindgen(js_name = handleTimeout)]
    pub fn handle_timeout(&mut self, now: f64) {
        self.screen.handle_timeout(millis(now));
    }

    #[wasm_bindgen(js_name = pollOutput)]
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.screen.poll_output()
    }

    #[wasm_bindgen(js_name = continuesOutput)]
    #[must_use]
    pub fn continues_output(&self) -> bool {
        self.screen.continues_output()
    }

    #[wasm_bindgen(js_name = closingMessage)]
    pub fn closing_message(&mut self) -> Option<Vec<u8>> {
        self.screen.closing_message()
    }
}

/// The methods for the host, which draws the screen.
#[wasm_bindgen]
impl Screen {
    /// Executes a command.
    ///
    /// # Errors
    /// An `ErrorRecord` for an unknown command or a wrong argument.
    pub fn command(&mut self, name: &str, argument: JsValue) -> Result<JsValue, JsValue> {
        reply_to_js(self.screen.command(name, &Plain::new(argument)))
    }

    /// Returns the next item, or `undefined`.
    #[wasm_bindgen(js_name = pollItem)]
    pub fn poll_item(&mut self) -> JsValue {
        self.screen.poll_item().map_or(JsValue::UNDEFINED, item_to_js)
    }

    /// Returns the outline of the screen, for [`follow`](Self::follow).
    #[must_use]
    pub fn outline(&self) -> Vec<u32> {
        self.screen.outline().to_vec()
    }

    /// Starts to collect changes for a view. The whole screen counts as changed.
    #[wasm_bindgen(js_name = startDrawing)]
    pub fn start_drawing(&mut self) {
        self.screen.start_drawing();
    }

    /// Stops to collect changes for a view.
    #[wasm_bindgen(js_name = stopDrawing)]
    pub fn stop_drawing(&mut self) {
        self.screen.stop_drawing();
    }

    /// Returns the address of the pixels, the width and the height of the screen, and then x, y, width and height of each
    /// changed rectangle. Returns `undefined` if nothing has changed, or only a part of an update has arrived.
    #[wasm_bindgen(js_name = pollDrawing)]
    pub fn poll_drawing(&mut self) -> Option<Vec<u32>> {
        let rects = self.screen.poll_drawing()?;
        let pixels = self.screen.framebuffer();
        let address = pixels.pixels().as_ptr() as usize;
        let mut drawing = Vec::with_capacity(3 + 4 * rects.len());
        drawing.push(u32::try_from(address).unwrap_or_default());
        drawing.extend_from_slice(&[pixels.width().into(), pixels.height().into()]);
        for Rect { x, y, width, height } in rects {
            drawing.extend_from_slice(&[x.into(), y.into(), width.into(), height.into()]);
        }
        Some(drawing)
    }

    /// Returns the shape of the pointer if it has changed, or `undefined`.
    #[wasm_bindgen(js_name = pollCursor)]
    pub fn poll_cursor(&mut self) -> JsValue {
        let cursor = self.screen.poll_drawn_cursor().cloned();
        cursor.map_or(JsValue::UNDEFINED, |cursor| item_to_js(ScreenItem::Cursor(cursor)))
    }
}

/// The methods for the page, whose commands return before the host executes them.
#[wasm_bindgen]
impl Screen {
    /// Creates a mirror of a screen that is not connected yet.
    #[must_use]
    pub fn mirror() -> Self {
        Self::of(orgo_screen::Screen::mirror())
    }

    /// Applies the outline of the screen.
    pub fn follow(&mut self, width: u32, height: u32, flags: u32) {
        self.screen.follow([width, height, flags]);
    }

    /// Returns what a command will return.
    ///
    /// # Errors
    /// An `ErrorRecord` for an unknown command or a wrong argument.
    pub fn check(&mut self, name: &str, argument: JsValue) -> Result<JsValue, JsValue> {
        reply_to_js(self.screen.check(name, &Plain::new(argument)))
    }

    /// Reports that a requested image has arrived, so that another one can be requested.
    #[wasm_bindgen(js_name = imageArrived)]
    pub fn image_arrived(&mut self) {
        self.screen.image_arrived();
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the other module sends whole numbers"
)]
fn millis(number: f64) -> u64 {
    number as u64
}

#[allow(clippy::cast_precision_loss, reason = "it is far below 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}

fn item_to_js(item: ScreenItem) -> JsValue {
    item.write::<Plain>().into()
}

fn reply_to_js(reply: Result<Reply<Plain>, Box<Invalid>>) -> Result<JsValue, JsValue> {
    Ok(match reply.map_err(|error| error_to_js(&error))? {
        Reply::Null => JsValue::NULL,
        Reply::Refused(refusal) => refusal.as_str().into(),
        Reply::Object(object) => object.into(),
    })
}

/// Creates the `ErrorRecord` of an invalid argument.
fn error_to_js(error: &Invalid) -> JsValue {
    let mut record = Plain::empty();
    record.text("field", &error.field);
    record.text("kind", "encode");
    record.text("message", &error.message());
    record.text("delivered", "no");
    record.into()
}
