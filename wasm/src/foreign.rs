//! A screen in the module of the screen, as the session of this module uses it.

use std::fmt;

use orgo_core::Millis;
use orgo_core::channel::{Command, Kind, ScreenProtocol, Session};
use orgo_core::client::credentials::Password;
use orgo_core::driver::{self, Platform as _};
use orgo_core::encoding::json::Value;
use orgo_core::encoding::plain::PlainObject;
use orgo_core::error::Error;
use orgo_screen::{Condition, Counters, Outcome};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::channel::Channel;
use crate::client::Client;
use crate::convert::{error_to_js, map_from_js};
use crate::platform::message;

// Each method can throw, because the other module can fail.
#[wasm_bindgen]
extern "C" {
    /// The class `Screen` of the module `orgo-screen-wasm`.
    pub type ScreenObject;

    #[wasm_bindgen(method, catch, js_name = isViewOnly)]
    fn is_view_only(this: &ScreenObject) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn open(this: &ScreenObject, password: Option<String>) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn accepted(this: &ScreenObject, after_break: bool) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = setCondition)]
    fn set_condition(this: &ScreenObject, condition: u32) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn receive(this: &ScreenObject, now: f64, bytes: &[u8]) -> Result<u32, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn problem(this: &ScreenObject) -> Result<String, JsValue>;
    #[wasm_bindgen(method, catch, js_name = pushError)]
    fn push_error(this: &ScreenObject, message: &str) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn received(this: &ScreenObject) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn taken(this: &ScreenObject) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn refused(this: &ScreenObject) -> Result<f64, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn ping(this: &ScreenObject) -> Result<Option<Vec<u8>>, JsValue>;
    #[wasm_bindgen(method, catch, js_name = pollTimeout)]
    fn poll_timeout(this: &ScreenObject) -> Result<Option<f64>, JsValue>;
    #[wasm_bindgen(method, catch, js_name = handleTimeout)]
    fn handle_timeout(this: &ScreenObject, now: f64) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = pollOutput)]
    fn poll_output(this: &ScreenObject) -> Result<Option<Vec<u8>>, JsValue>;
    #[wasm_bindgen(method, catch, js_name = continuesOutput)]
    fn continues_output(this: &ScreenObject) -> Result<bool, JsValue>;
    #[wasm_bindgen(method, catch, js_name = closingMessage)]
    fn closing_message(this: &ScreenObject) -> Result<Option<Vec<u8>>, JsValue>;
}

#[wasm_bindgen]
impl Client {
    /// Opens the channel of a screen in the module of the screen. JavaScript executes the commands and reads the items
    /// there, and calls [`Channel::wake`] after a command.
    ///
    /// # Errors
    /// An `ErrorRecord` for an invalid field, with its name.
    #[wasm_bindgen(js_name = openScreen)]
    pub fn open_screen(&self, screen: ScreenObject, target: &JsValue) -> Result<Channel, JsValue> {
        let screen = Foreign { screen, condition: None, now: 0 };
        let open = || {
            let target = map_from_js("channel", "target", target)?;
            let (seed, now) = (self.browser.seed(), self.browser.now());
            driver::Channel::open_protocol(&self.config, screen, &target, seed, now)
        };
        let channel = open().map_err(|error| error_to_js(&error))?;
        Ok(self.run(channel))
    }
}

/// A screen in the other module. After a failure of that module, every method throws, and the next message ends the
/// channel.
struct Foreign {
    screen: ScreenObject,
    /// The last reported condition.
    condition: Option<Condition>,
    now: Millis,
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Foreign")
    }
}

#[allow(clippy::cast_precision_loss, reason = "a time in milliseconds is far below 2^53")]
fn to_number(time: Millis) -> f64 {
    time as f64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the other module sends whole numbers"
)]
fn from_number(number: f64) -> u64 {
    number as u64
}

impl ScreenProtocol for Foreign {
    /// JavaScript reads the items from the other module.
    type Item = PlainObject;

    fn is_view_only(&self) -> bool {
        self.screen.is_view_only().unwrap_or_default()
    }

    fn open(&mut self, password: Option<&Password>) {
        let _ = self.screen.open(password.map(|password| password.expose().to_owned()));
    }

    fn accepted(&mut self, after_break: bool) {
        let _ = self.screen.accepted(after_break);
    }

    fn set_now(&mut self, now: Millis) {
        self.now = now;
    }

    fn set_condition(&mut self, condition: Condition) {
        if self.condition != Some(condition) {
            self.condition = Some(condition);
            let _ = self.screen.set_condition(condition.number());
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Outcome {
        match self.screen.receive(to_number(self.now), bytes) {
            Ok(number) => Outcome::of_parts(number, || self.screen.problem().unwrap_or_default()),
            Err(error) => {
                let mut problem = "the module of the screen failed: ".to_owned();
                problem.push_str(&message(&error));
                Outcome::Invalid(problem)
            }
        }
    }

    fn push_error(&mut self, message: String) {
        let _ = self.screen.push_error(&message);
    }

    fn poll_item(&mut self) -> Option<PlainObject> {
        None
    }

    fn counters(&self) -> Counters {
        let count = |number: Result<f64, JsValue>| from_number(number.unwrap_or_default());
        Counters {
            received: count(self.screen.received()),
            taken: count(self.screen.taken()),
            refused: count(self.screen.refused()),
        }
    }

    fn ping(&self) -> Option<Vec<u8>> {
        self.screen.ping().unwrap_or_default()
    }

    fn poll_timeout(&self) -> Option<Millis> {
        self.screen.poll_timeout().unwrap_or_default().map(from_number)
    }

    fn handle_timeout(&mut self, now: Millis) {
        let _ = self.screen.handle_timeout(to_number(now));
    }

    fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.screen.poll_output().unwrap_or_default()
    }

    fn continues_output(&self) -> bool {
        self.screen.continues_output().unwrap_or_default()
    }

    fn closing_message(&mut self) -> Option<Vec<u8>> {
        self.screen.closing_message().unwrap_or_default()
    }
}

impl Kind for Foreign {
    fn command(_: &mut Session<Self>, _: Command<'_>) -> Option<Result<Value, Error>> {
        None
    }

    fn export(item: PlainObject) -> PlainObject {
        item
    }
}
