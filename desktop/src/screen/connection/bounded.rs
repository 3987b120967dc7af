//! An x11rb connection that tracks unread packets and can be used with a hostile X server.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io::IoSlice,
    os::fd::{AsFd, BorrowedFd},
    time::{Duration, Instant},
};

use x11rb::{
    connection::{BufWithFds, Connection, DiscardMode, RequestConnection, RequestKind, SequenceNumber},
    connection::{RawEventAndSeqNumber, ReplyOrError},
    cookie::{Cookie, CookieWithFds, VoidCookie},
    errors::{ConnectionError, ParseError, ReplyError, ReplyOrIdError},
    protocol::{
        Event,
        xproto::{ConnectionExt as _, Setup},
    },
    rust_connection::RustConnection,
    x11_utils::{ExtInfoProvider, ExtensionInformation, TryParse, TryParseFd, X11Error},
};

use super::{endpoint::Endpoint, stream::BoundedStream};
use crate::computer::XCookie;
use crate::screen::ScreenError;

/// The largest resource id. Resource ids have 29 bits.
const MAX_ID: u32 = (1 << 29) - 1;

/// A connection to an X server that may be hostile.
///
/// Callers read every packet through this type, so it can track the received packets that x11rb still stores. It also
/// replaces two parts of x11rb that fail with a hostile server:
///
/// - the allocation of resource ids, which overflows if the ids are out of range,
/// - QueryExtension, which deadlocks if the server responds with an error.
#[derive(Debug)]
pub(in crate::screen) struct BoundedConnection {
    inner: RustConnection<BoundedStream>,
    operation_limit: Duration,
    ids_used: Cell<u32>,
    extensions: RefCell<Extensions>,
}

impl BoundedConnection {
    /// Connects to `endpoint`. `limit` is the total timeout of the setup and of all waits until the next
    /// [`Self::begin_operation`].
    pub(in crate::screen) fn open(endpoint: &Endpoint, limit: Duration) -> Result<Self, ScreenError> {
        let limits = endpoint.limits;
        let stream = BoundedStream::new(endpoint.connector.connect()?, limits.reply, limit)?;
        let key = endpoint.connector.key();
        let (method, data) =
            key.map(|key| (XCookie::METHOD.into(), key.bytes().to_vec())).unwrap_or_default();
        let inner = RustConnection::connect_to_stream_with_auth_info(stream, 0, method, data)?;
        inner.stream().setup_read();
        let setup = inner.setup();
        if setup.resource_id_base > MAX_ID || setup.resource_id_mask > MAX_ID {
            return Err(ScreenError::Unsupported("resource ids of 29 bits".to_owned()));
        }
        Ok(Self {
            inner,
            operation_limit: limits.operation,
            ids_used: Cell::new(0),
            extensions: RefCell::default(),
        })
    }

    /// Starts an operation with an expected duration of `time`. The timeout of the operation is `time` plus a fixed
    /// limit for waits for the X server.
    pub(in crate::screen) fn begin_operation(&self, time: Duration) {
        self.inner.stream().begin_operation(time.saturating_add(self.operation_limit));
    }

    /// Returns the time at which a waiting caller should call this method again.
    ///
    /// # Errors
    ///
    /// [`ScreenError::Lost`] after the timeout of the operation.
    pub(in crate::screen) fn next_check(&self) -> Result<Instant, ScreenError> {
        Ok(self.inner.stream().next_check()?)
    }

    /// Returns whether the connection should be replaced.
    pub(in crate::screen) fn needs_replacement(&self) -> bool {
        self.inner.stream().needs_replacement() || self.ids_used.get() > self.id_count() / 2
    }

    fn id_count(&self) -> u32 {
        let mask = self.setup().resource_id_mask;
        mask.checked_shr(mask.trailing_zeros()).unwrap_or(0)
    }

    fn read<T>(&self, result: T, packet: impl FnOnce(&T) -> Option<&[u8]>) -> T {
        if let Some(packet) = packet(&result) {
            self.inner.stream().packet_read(packet);
        }
        result
    }
}

impl AsFd for BoundedConnection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.stream().as_fd()
    }
}

impl RequestConnection for BoundedConnection {
    type Buf = Vec<u8>;

    fn send_request_with_reply<R: TryParse>(
        &self,
        bufs: &[IoSlice<'_>],
        fds: Vec<x11rb::utils::RawFdContainer>,
    ) -> Result<Cookie<'_, Self, R>, ConnectionError> {
        let sent = self.inner.send_request_with_reply::<R>(bufs, fds)?;
        let cookie = Cookie::new(self, sent.sequence_number());
        // Dropping the original cookie would discard the reply.
        std::mem::forget(sent);
        Ok(cookie)
    }

    fn send_request_with_reply_with_fds<R: TryParseFd>(
        &self,
        bufs: &[IoSlice<'_>],
        fds: Vec<x11rb::utils::RawFdContainer>,
    ) -> Result<CookieWithFds<'_, Self, R>, ConnectionError> {
        let sent = self.inner.send_request_with_reply_with_fds::<R>(bufs, fds)?;
        let cookie = CookieWithFds::new(self, sent.sequence_number());
        std::mem::forget(sent);
        Ok(cookie)
    }

    fn send_request_without_reply(
        &self,
        bufs: &[IoSlice<'_>],
        fds: Vec<x11rb::utils::RawFdContainer>,
    ) -> Result<VoidCookie<'_, Self>, ConnectionError> {
        let sent = self.inner.send_request_without_reply(bufs, fds)?;
        let cookie = VoidCookie::new(self, sent.sequence_number());
        std::mem::forget(sent);
        Ok(cookie)
    }

    fn discard_reply(&self, sequence: SequenceNumber, kind: RequestKind, mode: DiscardMode) {
        self.inner.discard_reply(sequence, kind, mode);
    }

    fn prefetch_extension_information(&self, extension_name: &'static str) -> Result<(), ConnectionError> {
        self.extension_information(extension_name).map(drop)
    }

    fn extension_information(
        &self,
        extension_name: &'static str,
    ) -> Result<Option<ExtensionInformation>, ConnectionError> {
        let known = self.extensions.borrow().0.get(extension_name).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let reply = match self.query_extension(extension_name.as_bytes())?.reply() {
            Ok(reply) => reply,
            Err(ReplyError::ConnectionError(error)) => return Err(error),
            // The protocol defines no error for this request.
            Err(ReplyError::X11Error(_)) => return Err(ConnectionError::UnknownError),
        };
        let information = reply.present.then_some(ExtensionInformation {
            major_opcode: reply.major_opcode,
            first_event: reply.first_event,
            first_error: reply.first_error,
        });
        self.extensions.borrow_mut().0.insert(extension_name, information);
        Ok(information)
    }

    fn wait_for_reply_or_raw_error(
        &self,
        sequence: SequenceNumber,
    ) -> Result<ReplyOrError<Vec<u8>>, ConnectionError> {
        let result = self.inner.wait_for_reply_or_raw_error(sequence)?;
        Ok(self.read(result, |result| match result {
            ReplyOrError::Reply(packet) | ReplyOrError::Error(packet) => Some(packet),
        }))
    }

    fn wait_for_reply(&self, sequence: SequenceNumber) -> Result<Option<Vec<u8>>, ConnectionError> {
        let result = self.inner.wait_for_reply(sequence)?;
        Ok(self.read(result, Option::as_deref))
    }

    fn wait_for_reply_with_fds_raw(
        &self,
        sequence: SequenceNumber,
    ) -> Result<ReplyOrError<BufWithFds<Vec<u8>>, Vec<u8>>, ConnectionError> {
        let result = self.inner.wait_for_reply_with_fds_raw(sequence)?;
        Ok(self.read(result, |result| match result {
            ReplyOrError::Reply((packet, _)) | ReplyOrError::Error(packet) => Some(packet),
        }))
    }

    fn check_for_raw_error(&self, sequence: SequenceNumber) -> Result<Option<Vec<u8>>, ConnectionError> {
        let result = self.inner.check_for_raw_error(sequence)?;
        self.inner.stream().small_reply_dropped();
        Ok(self.read(result, Option::as_deref))
    }

    fn prefetch_maximum_request_bytes(&self) {
        self.inner.prefetch_maximum_request_bytes();
    }

    fn maximum_request_bytes(&self) -> usize {
        self.inner.maximum_request_bytes()
    }

    fn parse_error(&self, error: &[u8]) -> Result<X11Error, ParseError> {
        X11Error::try_parse(error, &*self.extensions.borrow())
    }

    fn parse_event(&self, event: &[u8]) -> Result<Event, ParseError> {
        Event::parse(event, &*self.extensions.borrow())
    }
}

/// The queried extensions. An extension that the server does not have is `None`.
#[derive(Debug, Default)]
struct Extensions(HashMap<&'static str, Option<ExtensionInformation>>);

impl Extensions {
    fn present(&self) -> impl Iterator<Item = (&str, ExtensionInformation)> {
        self.0.iter().filter_map(|(name, information)| Some((*name, (*information)?)))
    }
}

impl ExtInfoProvider for Extensions {
    fn get_from_major_opcode(&self, major_opcode: u8) -> Option<(&str, ExtensionInformation)> {
        self.present().find(|(_, information)| information.major_opcode == major_opcode)
    }

    fn get_from_event_code(&self, event_code: u8) -> Option<(&str, ExtensionInformation)> {
        let begun = self.present().filter(|(_, information)| information.first_event <= event_code);
        begun.max_by_key(|(_, information)| information.first_event)
    }

    fn get_from_error_code(&self, error_code: u8) -> Option<(&str, ExtensionInformation)> {
        let begun = self.present().filter(|(_, information)| information.first_error <= error_code);
        begun.max_by_key(|(_, information)| information.first_error)
    }
}

impl Connection for BoundedConnection {
    fn wait_for_raw_event_with_sequence(&self) -> Result<RawEventAndSeqNumber<Vec<u8>>, ConnectionError> {
        let result = self.inner.wait_for_raw_event_with_sequence()?;
        Ok(self.read(result, |(packet, _)| Some(packet)))
    }

    fn poll_for_raw_event_with_sequence(
        &self,
    ) -> Result<Option<RawEventAndSeqNumber<Vec<u8>>>, ConnectionError> {
        let result = self.inner.poll_for_raw_event_with_sequence()?;
        Ok(self.read(result, |event| event.as_ref().map(|(packet, _)| packet.as_slice())))
    }

    fn flush(&self) -> Result<(), ConnectionError> {
        self.inner.flush()
    }

    fn setup(&self) -> &Setup {
        self.inner.setup()
    }

    fn generate_id(&self) -> Result<u32, ReplyOrIdError> {
        let setup = self.setup();
        let used = self.ids_used.get();
        if used >= self.id_count() {
            return Err(ReplyOrIdError::IdsExhausted);
        }
        self.ids_used.set(used + 1);
        Ok(setup.resource_id_base | used << setup.resource_id_mask.trailing_zeros())
    }
}
