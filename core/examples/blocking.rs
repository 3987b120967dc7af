//! A call and a terminal over blocking sockets. This program opens the sockets and reads the clock; the core only
//! returns what to send and when.
//!
//! Start the local desktop, then:
//!
//! ```text
//! ORGO_BASE_URL=http://127.0.0.1:8800/api ORGO_API_KEY=... cargo run -p orgo-core --example blocking -- COMPUTER_ID
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use orgo_core::channel::{Action, State, Target, TerminalItem, TerminalSession};
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::config::{CallOptions, Config};
use orgo_core::rest::call::{Call, Step};
use orgo_core::rest::calls::actions::RunBash;
use orgo_core::rest::calls::computers::{GetComputer, GetVncPassword};
use orgo_core::rest::http::{Body, Request, Response, SendFailure};
use orgo_core::rest::operation::Endpoint;
use tungstenite::{Message, WebSocket};

fn main() -> Result<(), Box<dyn Error>> {
    let id = std::env::args().nth(1).ok_or("give a computer's id")?;
    let settings = [("base_url", "ORGO_BASE_URL"), ("api_key", "ORGO_API_KEY")];
    let settings = settings.map(|(name, variable)| (name.to_owned(), std::env::var(variable).ok().into()));
    let config = Config::read(&settings.into_iter().collect())?;

    let bash = RunBash { id: id.clone(), command: "uname -a".to_owned(), timeout: None };
    print!("{}", call(&config, &bash)?.output);

    let computer = call(&config, &GetComputer { id: id.clone() })?;
    let password = call(&config, &GetVncPassword { id: id.clone() })?.password;
    let address = ComputerAddress {
        computer_id: id,
        instance_id: computer.instance_id,
        connection_url: computer.connection_url,
    };
    terminal(Target::new(&config, address, Some(password)), "echo $((6*7)); exit 7\r")
}

/// Runs a call: a loop over its steps.
fn call<E: Endpoint>(config: &Config, endpoint: &E) -> Result<E::Response, Box<dyn Error>> {
    let start = Instant::now();
    let mut call = Call::typed(config, endpoint, &CallOptions::default(), seed())?;
    loop {
        match call.step(millis(start)) {
            Step::Done(result) => return Ok(result?.into_typed::<E>()?),
            Step::Wait(time) => sleep(Duration::from_millis(time)),
            Step::Send(request, limits) => match exchange(&request, Duration::from_millis(limits.request)) {
                Ok(response) => call.handle_response(response),
                Err(failure) => call.handle_failure(failure),
            },
        }
    }
}

/// Returns the current time for calls and channels, in milliseconds.
fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Runs a channel: performs its actions, reports events, and handles its deadlines.
fn terminal(target: Target, keystrokes: &str) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let now = || millis(start);
    let mut session = TerminalSession::terminal(target, None, None, seed(), now())?;
    let mut socket: Option<WebSocket<TcpStream>> = None;
    let mut typed = false;
    loop {
        while let Some(output) = session.poll_action() {
            match output {
                Action::Connect(url) => {
                    let (opened, _) = tungstenite::client(url.expose(), connect(&url.expose())?)?;
                    opened.get_ref().set_read_timeout(Some(Duration::from_millis(50)))?;
                    socket = Some(opened);
                    session.handle_open(now());
                }
                Action::Send(text) => {
                    if let Some(socket) = &mut socket {
                        socket.send(Message::text(text))?;
                    }
                }
                Action::SendBinary(bytes) => {
                    if let Some(socket) = &mut socket {
                        socket.send(Message::binary(bytes))?;
                    }
                }
                Action::Close(_) => socket = None,
                Action::Authorize => return Err("the password was refused".into()),
            }
        }
        while let Some(item) = session.poll_item() {
            match item {
                TerminalItem::Output { data } => print!("{data}"),
                TerminalItem::Exit { code } => println!("\nthe shell ended with {code}"),
                other => println!("{other:?}"),
            }
        }
        match session.state() {
            State::Closed(cause) => {
                println!("{cause}");
                return Ok(());
            }
            State::Open if !typed => {
                typed = session.input(keystrokes)?.is_none();
                continue;
            }
            _ => {}
        }
        if let Some(open) = &mut socket {
            match open.read() {
                Ok(Message::Text(text)) => session.handle_text(now(), &text),
                Ok(Message::Binary(bytes)) => session.handle_binary(now(), &bytes),
                Ok(Message::Close(frame)) => {
                    let (code, reason) = frame
                        .map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()));
                    socket = None;
                    session.handle_close(now(), code, &reason);
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    socket = None;
                    session.handle_close(now(), 1006, &error.to_string());
                }
            }
        } else {
            sleep(Duration::from_millis(50));
        }
        if session.poll_timeout().is_some_and(|deadline| now() >= deadline) {
            session.handle_timeout(now());
        }
    }
}

/// Sends a request with a minimal HTTP/1.1 client: one request per connection.
fn exchange(request: &Request, limit: Duration) -> Result<Response, SendFailure> {
    let mut stream = connect(&request.url).map_err(|error| SendFailure::never(error.to_string()))?;
    talk(&mut stream, request, limit).map_err(|error| SendFailure::maybe(error.to_string()))
}

fn talk(stream: &mut TcpStream, request: &Request, limit: Duration) -> Result<Response, Box<dyn Error>> {
    stream.set_read_timeout(Some(limit))?;
    let (host, path) = split(&request.url)?;
    let body = request.body.as_ref().and_then(Body::to_vec).unwrap_or_default();
    write!(stream, "{} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", request.method.as_str())?;
    for (name, value) in &request.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    write!(stream, "content-length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)?;

    let mut received = Vec::new();
    stream.read_to_end(&mut received)?;
    let end = received.windows(4).position(|window| window == b"\r\n\r\n").ok_or("no end of the header")?;
    let head = std::str::from_utf8(&received[..end])?;
    let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = first.split(' ').nth(1).ok_or("no status")?.parse()?;
    let headers: Vec<(String, String)> = fields
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let response = Response { status, headers, body: received[end + 4..].to_vec(), ..Response::default() };
    match response.header("transfer-encoding") {
        None => Ok(response),
        Some(coding) => Err(format!("this example does not read {coding} bodies").into()),
    }
}

fn connect(url: &str) -> Result<TcpStream, Box<dyn Error>> {
    let (host, _) = split(url)?;
    Ok(TcpStream::connect(host)?)
}

/// Splits an unencrypted URL into the host with its port, and the path with its query.
fn split(url: &str) -> Result<(&str, &str), Box<dyn Error>> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("ws://"));
    let rest = rest.ok_or("this example supports only http and ws URLs, as of the local desktop")?;
    let slash = rest.find('/').unwrap_or(rest.len());
    Ok((&rest[..slash], if slash < rest.len() { &rest[slash..] } else { "/" }))
}

/// Returns a seed for the jitter, from the current time. The seed does not have to be secret.
fn seed() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(1, |time| u64::from(time.subsec_nanos()))
}
