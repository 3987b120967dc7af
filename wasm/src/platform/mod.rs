//! Implements the core's platform for pages and workers.

#[cfg(feature = "rest")]
mod download;
mod failure;
#[cfg(feature = "rest")]
mod file;
#[cfg_attr(not(feature = "node"), path = "no_host.rs")]
mod host;
#[cfg(feature = "rest")]
pub(crate) mod http;
mod socket;
#[cfg_attr(not(feature = "node"), path = "shared_timer.rs")]
mod timer;

use std::cell::Cell;
use std::future::Future;
#[cfg(feature = "rest")]
use std::rc::Rc;

use js_sys::Function;
use orgo_core::Millis;
use orgo_core::channel::ConnectFailure;
use orgo_core::client::address::SocketUrl;
use orgo_core::diagnostics::log::LogEntry;
use orgo_core::driver::Platform;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::task::entered_at;

#[wasm_bindgen]
extern "C" {
    /// Returns the time of the `performance` object. In `web_sys` that object is a property of a window or of a
    /// worker's scope; here it is a global, which exists in both.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

thread_local! {
    /// The next random number.
    static SEED: Cell<Option<u64>> = const { Cell::new(None) };
}

#[cfg(feature = "rest")]
pub(crate) use download::Streaming;
#[cfg(feature = "channels")]
pub(crate) use failure::message;
#[cfg(feature = "rest")]
pub(crate) use file::Source;
pub(crate) use host::Host;
#[cfg(feature = "rest")]
pub(crate) use timer::Alarm;

/// Returns the time. During a call of JavaScript that passed the time, this is the passed time.
pub(crate) fn clock() -> f64 {
    entered_at().unwrap_or_else(performance_now)
}

fn millis(time: f64) -> Millis {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it counts up from zero")]
    let time = time as Millis;
    time
}

/// A handler of events, which may run again while it runs: `abort` fires events. All handlers have one type, because
/// wasm-bindgen generates code for each type.
type Listener = Closure<dyn Fn(JsValue)>;

/// The browser (or Node) that runs this module, and the file of one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    /// Receives the level and the text of each line of the log.
    pub(crate) log: Option<Function>,
    /// The network of Node, if this module runs in Node.
    pub(crate) host: Option<Host>,
    /// In Node: whether an idle connection broke during a call that must not be executed twice. After that, no idle
    /// connection is kept.
    #[cfg(feature = "rest")]
    pub(crate) keeps_none: Rc<Cell<bool>>,
    /// The file that the call uploads.
    #[cfg(feature = "rest")]
    pub(crate) file: Option<Source>,
}

impl Platform for Browser {
    type Reader = socket::Reader;
    type Writer = socket::Writer;

    fn now(&self) -> Millis {
        millis(clock())
    }

    /// Returns a number that is random enough for jitter and form boundaries, its only uses.
    fn seed(&self) -> u64 {
        let seed = SEED.get().unwrap_or_else(|| js_sys::Math::random().to_bits());
        // A linear congruential generator (Knuth's MMIX).
        SEED.set(Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)));
        seed
    }

    fn sleep(&self, time: Millis) -> impl Future<Output = ()> + 'static {
        timer::sleep(time)
    }

    fn connect(
        &self,
        url: SocketUrl,
        accepts_output: bool,
    ) -> impl Future<Output = Result<(socket::Reader, socket::Writer), ConnectFailure>> + 'static {
        socket::connect(self.clone(), url, accepts_output)
    }

    fn log(&self, entry: &LogEntry) {
        if let Some(log) = &self.log {
            // An exception of the log is ignored.
            let _ = log.call2(&JsValue::UNDEFINED, &entry.level().name().into(), &entry.to_string().into());
        }
    }
}
