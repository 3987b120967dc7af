//! The core as a WebAssembly module. Its exports use the calls, the channels and the audio, so the linker keeps all
//! code. `scripts/check-core.mjs` checks that the module imports nothing, and runs it.

use std::sync::Mutex;

use orgo_core::channel::{AudioSession, EventsSession, Protocol, Session, Target, TerminalSession};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::config::Config;
use orgo_core::client::credentials::Password;
use orgo_core::rest::call::{Call, Step};
use orgo_core::rest::http::Response;

static TEXT: Mutex<String> = Mutex::new(String::new());

fn keep(text: String) -> usize {
    let mut kept = TEXT.lock().expect("one thread");
    *kept = text;
    kept.len()
}

/// Returns the address of the text whose length the other exports return.
#[unsafe(no_mangle)]
pub extern "C" fn text() -> *const u8 {
    TEXT.lock().expect("one thread").as_ptr()
}

/// Runs a click with a response of this status, and returns the request and the result as text.
#[unsafe(no_mangle)]
pub extern "C" fn click(x: i32, y: i32, status: u16) -> usize {
    let settings = [("api_key".to_owned(), "sk_live_x".into())].into_iter().collect();
    let config = Config::read(&settings).expect("the configuration is acceptable");
    let params = [("id", "c".into()), ("x", x.into()), ("y", y.into())];
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut call = match Call::new(&config, "computers.click", &params, &Default::default(), None, 1) {
        Ok(call) => call,
        Err(error) => return keep(error.to_string()),
    };
    let first = call.step(0);
    call.handle_response(Response { status, body: b"{\"success\":true}".to_vec(), ..Response::default() });
    let last = match call.step(0) {
        Step::Done(Ok(output)) => format!("{output:?}"),
        Step::Done(Err(error)) => error.to_string(),
        step => format!("{step:?}"),
    };
    keep(format!("{first:?} {last}"))
}

/// Opens every channel and advances the time.
#[unsafe(no_mangle)]
pub extern "C" fn channels(now: u32) -> usize {
    let target = || Target {
        address: ComputerAddress { computer_id: "c".to_owned(), ..ComputerAddress::default() },
        password: Some(Password::new("p")),
        ..Target::default()
    };
    let now = u64::from(now);
    let states = [
        TerminalSession::terminal(target(), None, None, 1, 0).map(|session| live(session, now)),
        AudioSession::audio(target(), None, None, 1, 0).map(|session| live(session, now)),
        EventsSession::events(target(), &["idle".to_owned()], 1, 0).map(|session| live(session, now)),
    ];
    keep(
        states
            .into_iter()
            .map(|state| state.unwrap_or_else(|error| error.to_string()))
            .collect::<Vec<_>>()
            .join("; "),
    )
}

fn live<P: Protocol>(mut session: Session<P>, now: u64) -> String {
    session.handle_open(0);
    session.handle_text(0, r#"{"type":"pong"}"#);
    session.handle_binary(0, &[0, 64]);
    session.handle_timeout(now);
    let actions = std::iter::from_fn(|| session.poll_action()).count();
    let items = std::iter::from_fn(|| session.poll_item()).count();
    format!("{:?}, {actions} actions, {items} items", session.state())
}
