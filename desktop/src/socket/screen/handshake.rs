//! The RFB handshakes of the bridge: as a server with the viewer, and as a client with the X server.

use std::io;
use std::time::Instant;

use axum::extract::ws::Message;
use des::Des;
use des::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use futures_util::SinkExt as _;
use subtle::ConstantTimeEq as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{End, Incoming, Outgoing};
use crate::computer::Machine;
use crate::socket::close::CloseCode;
use crate::untrusted::Connection;

const VERSION: &[u8; 12] = b"RFB 003.008\n";
const SECURITY_NONE: u8 = 1;
const SECURITY_VNC: u8 = 2;
/// The first byte of the client's initialization: other viewers stay connected.
const SHARED: u8 = 1;

/// A failure of the connection to the X server.
pub(super) struct Failure(io::Error);

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<Failure> for End {
    fn from(Failure(error): Failure) -> Self {
        tracing::debug!("a viewer could not use the X server: {error}");
        Self::Close(CloseCode::Failed)
    }
}

/// Refuses the viewer, with the reason in words.
pub(super) async fn refuse(
    outgoing: &mut Outgoing,
    incoming: &mut Incoming,
    reason: &str,
) -> Result<(), End> {
    let minor = exchange_versions(outgoing, incoming).await?;
    send_refusal(outgoing, minor, reason).await
}

/// Authenticates the viewer, and reads its initialization.
pub(super) async fn with_viewer(
    outgoing: &mut Outgoing,
    incoming: &mut Incoming,
    machine: &Machine,
) -> Result<(), End> {
    let minor = exchange_versions(outgoing, incoming).await?;
    if !machine.viewers().may_authenticate(Instant::now()) {
        send_refusal(outgoing, minor, "Too many wrong passwords: wait 10 seconds").await?;
        return Err(End::Close(CloseCode::Refused));
    }
    if minor >= 7 {
        send(outgoing, &[1, SECURITY_VNC]).await?;
        if incoming.array().await? != [SECURITY_VNC] {
            return Err(End::Close(CloseCode::Malformed));
        }
    } else {
        send(outgoing, &[0, 0, 0, SECURITY_VNC]).await?;
    }
    let mut challenge = [0; 16];
    getrandom::fill(&mut challenge).map_err(|_| End::Close(CloseCode::Failed))?;
    send(outgoing, &challenge).await?;
    let response: [u8; 16] = incoming.array().await?;
    let expected = encrypt(machine.password().expose(), challenge);
    let correct: bool = response.ct_eq(&expected).into();
    machine.viewers().record(correct, Instant::now());
    if !correct {
        let reason = if minor >= 8 { text("The password is wrong") } else { Vec::new() };
        send(outgoing, &[&[0, 0, 0, 1][..], &reason].concat()).await?;
        return Err(End::Close(CloseCode::Unauthorized));
    }
    send(outgoing, &[0; 4]).await?;
    // The viewer may ask to be the only one, but viewers do not disconnect each other.
    let [_] = incoming.array().await?;
    Ok(())
}

/// Runs the handshake with the X server up to its first message about the screen, which the viewer receives.
pub(super) async fn with_server(server: &mut Connection) -> Result<(), Failure> {
    let mut version = [0; 12];
    server.read_exact(&mut version).await?;
    if minor_version(version) != Some(8) {
        return Err(io::Error::other("the X server has another version of RFB").into());
    }
    server.write_all(VERSION).await?;
    let count = server.read_u8().await?;
    let mut kinds = vec![0; count.into()];
    server.read_exact(&mut kinds).await?;
    if !kinds.contains(&SECURITY_NONE) {
        return Err(io::Error::other("the X server refuses the viewer").into());
    }
    server.write_all(&[SECURITY_NONE]).await?;
    if server.read_u32().await? != 0 {
        return Err(io::Error::other("the X server refuses the viewer").into());
    }
    server.write_all(&[SHARED]).await?;
    Ok(())
}

/// Returns 3, 7 or 8 for the version that the viewer chose.
async fn exchange_versions(outgoing: &mut Outgoing, incoming: &mut Incoming) -> Result<u8, End> {
    send(outgoing, VERSION).await?;
    minor_version(incoming.array().await?).ok_or(End::Close(CloseCode::Malformed))
}

/// Sends the number of security types, which is zero, and a reason.
async fn send_refusal(outgoing: &mut Outgoing, minor: u8, reason: &str) -> Result<(), End> {
    let none = if minor >= 7 { &[0_u8][..] } else { &[0; 4] };
    send(outgoing, &[none, &text(reason)].concat()).await
}

async fn send(outgoing: &mut Outgoing, bytes: &[u8]) -> Result<(), End> {
    outgoing.send(Message::binary(bytes.to_vec())).await.map_err(|_| End::Disconnected)
}

/// Returns a text with its length.
fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], text.as_bytes()].concat()
}

/// Returns 3, 7 or 8 for the version that the peer chose.
fn minor_version(version: [u8; 12]) -> Option<u8> {
    match &version {
        b"RFB 003.003\n" | b"RFB 003.005\n" => Some(3),
        b"RFB 003.007\n" => Some(7),
        VERSION => Some(8),
        _ => None,
    }
}

/// Encrypts the challenge as a viewer with this password does. VNC authentication uses the first eight bytes of the
/// password as a DES key, with the bits of each byte in reverse order.
fn encrypt(password: &str, challenge: [u8; 16]) -> [u8; 16] {
    let mut key = [0_u8; 8];
    for (to, from) in key.iter_mut().zip(password.bytes()) {
        *to = from.reverse_bits();
    }
    let des = Des::new(&Array::from(key));
    let mut encrypted = challenge;
    for half in encrypted.as_chunks_mut::<8>().0 {
        let mut block = Array::from(*half);
        des.encrypt_block(&mut block);
        *half = block.into();
    }
    encrypted
}
