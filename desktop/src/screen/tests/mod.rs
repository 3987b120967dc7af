//! Tests the screen with real and fake X servers, with windows that record their input, and with real applications.

mod applications;
mod combinations;
mod failure;
mod frozen_pointer;
mod hostile;
mod key_names;
mod layouts;
mod live;
mod pointer;
mod readiness;
mod recorder;
mod screenshot;
mod server;
mod typing;
mod viewer;
mod watch;

use std::{
    thread,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use x11rb::{
    COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT,
    connection::Connection,
    protocol::xproto::{ConnectionExt as _, CreateWindowAux, Window, WindowClass},
};

use crate::screen::{ActionDuration, TypingDelay, WheelClicks, connection::Display};

/// The timeout of each wait in a test. It is much longer than the duration of any test.
const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// Returns the token of a caller that never cancels.
fn not_canceled() -> CancellationToken {
    CancellationToken::new()
}

fn seconds(seconds: f64) -> ActionDuration {
    ActionDuration::from_seconds("duration", seconds).unwrap()
}

fn clicks(amount: i32) -> WheelClicks {
    WheelClicks::new(amount).unwrap()
}

/// Returns a typing delay of one second.
fn slow() -> Option<TypingDelay> {
    Some(TypingDelay::from_millis(1000).unwrap())
}

/// Creates a window at the top left of the screen. It is not shown yet.
fn create_window(display: &Display, width: u16, height: u16, attributes: &CreateWindowAux) -> Window {
    let window = display.conn.generate_id().unwrap();
    let (depth, visual, class) = (COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, WindowClass::INPUT_OUTPUT);
    display
        .conn
        .create_window(depth, window, display.root, 0, 0, width, height, 0, class, visual, attributes)
        .unwrap();
    window
}

/// Waits until `condition` returns a value. Fails the test after [`TEST_TIMEOUT`].
#[track_caller]
fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + TEST_TIMEOUT;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "timeout: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
