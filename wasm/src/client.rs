//! A client.

use js_sys::Function;
use orgo_core::client::config::Config;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::convert::{error_to_js, map_from_js};
use crate::platform::Browser;
#[cfg(feature = "node")]
use crate::platform::Host;

/// A client: settings, credentials and connections.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client {
    pub(crate) config: Config,
    pub(crate) browser: Browser,
}

#[cfg(feature = "node")]
#[wasm_bindgen]
impl Client {
    /// Creates a client. `log` receives the level and the text of each line. `host` is the network of Node.
    ///
    /// # Errors
    /// An `ErrorRecord` for an invalid setting, with its name.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue, log: Option<Function>, host: Option<Host>) -> Result<Self, JsValue> {
        Self::create(config, Browser { log, host, ..Browser::default() })
    }
}

#[cfg(not(feature = "node"))]
#[wasm_bindgen]
impl Client {
    /// Creates a client. `log` receives the level and the text of each line.
    ///
    /// # Errors
    /// An `ErrorRecord` for an invalid setting, with its name.
    #[wasm_bindgen(constructor)]
    pub fn new(config: &JsValue, log: Option<Function>) -> Result<Self, JsValue> {
        Self::create(config, Browser { log, ..Browser::default() })
    }
}

impl Client {
    fn create(config: &JsValue, browser: Browser) -> Result<Self, JsValue> {
        let config = map_from_js("Orgo", "options", config).and_then(|config| Config::read(&config));
        config.map(|config| Self { config, browser }).map_err(|error| error_to_js(&error))
    }
}
