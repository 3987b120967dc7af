//! A response whose body is read piece by piece.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::CaptureConnection;
use orgo_core::driver::read_piece;
use orgo_core::error::Error;
use orgo_core::rest::download::Download;
use orgo_core::rest::http::{ResponseBody, SendFailure};
use tokio::sync::Notify;

use crate::abort::AbortOnDrop;
use crate::decode::Decoder;
use crate::error::{BoxError, code, describe};
use crate::network::Network;
use crate::reuse::Usage;

/// The size at which a piece is passed to JavaScript although more bytes have arrived.
const ENOUGH: usize = 256 << 10;
/// How many bytes are decompressed at once. Decompression can multiply them by 1,000.
const COMPRESSED_SLICE: usize = 8 << 10;

/// The body of a response that is still arriving. Dropping it closes its connection.
pub(crate) struct OpenBody {
    body: Incoming,
    decoder: Option<Decoder>,
    /// The bytes that have arrived, but are not decoded.
    arrived: Bytes,
    headers: HeaderMap,
    captured: CaptureConnection,
    /// Closes the connection.
    connection: AbortOnDrop,
}

impl OpenBody {
    /// Takes the body of a response with the given header.
    pub(crate) fn new(
        body: Incoming,
        headers: HeaderMap,
        captured: CaptureConnection,
        connection: AbortOnDrop,
    ) -> Self {
        // The reader counts the bytes, and applies the limit.
        let collected = ResponseBody::new(u64::MAX, None);
        let decoder = collected.map(|body| Decoder::new(body, headers.get(http::header::CONTENT_ENCODING)));
        Self { body, decoder, arrived: Bytes::new(), headers, captured, connection }
    }

    /// Reads the next bytes. Returns `None` at the end.
    async fn read(&mut self) -> Result<Option<Vec<u8>>, SendFailure> {
        self.read_or_fail().await.map_err(|error| {
            SendFailure::maybe(format!("the response was cut off: {}", describe(&*error)))
                .with_code(code(&*error))
        })
    }

    async fn read_or_fail(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(None) };
            if decoder.collected() >= ENOUGH {
                return Ok(Some(decoder.take()));
            }
            if !self.arrived.is_empty() {
                let slice = if decoder.decodes() { COMPRESSED_SLICE } else { ENOUGH };
                let slice = self.arrived.split_to(slice.min(self.arrived.len()));
                decoder.push(&slice)?;
                continue;
            }
            let frame = if decoder.collected() == 0 {
                self.body.frame().await
            } else if let Some(frame) = self.body.frame().now_or_never() {
                frame
            } else {
                return Ok(Some(decoder.take()));
            };
            match frame {
                Some(frame) => self.arrived = frame?.into_data().unwrap_or_default(),
                None => return self.finish(),
            }
        }
    }

    /// Returns the last bytes.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let rest = self.decoder.take().map(Decoder::finish).transpose()?.flatten();
        if let Some(usage) = Usage::of(&self.captured) {
            usage.completed(&self.captured, &self.headers);
        }
        self.connection.disarm();
        Ok(rest.filter(|rest| !rest.is_empty()))
    }
}

/// The place of the open response of one call. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Opened(Arc<Mutex<Place>>);

#[derive(Default)]
struct Place {
    body: Option<OpenBody>,
    /// Whether the reader has canceled the stream.
    canceled: bool,
}

impl Opened {
    pub(crate) fn put(&self, body: OpenBody) {
        let mut place = self.place();
        if !place.canceled {
            place.body = Some(body);
        }
    }

    /// Closes the connection, also if the body is being read.
    pub(crate) fn cancel(&self) {
        let mut place = self.place();
        place.canceled = true;
        place.body = None;
    }

    /// Reads the next bytes. Returns `None` at the end. Closes the connection after a failure.
    pub(crate) async fn read(
        &self,
        network: &Network,
        download: &mut Download,
        canceled: &Notify,
    ) -> Result<Option<Vec<u8>>, Error> {
        let taken = self.place().body.take();
        let Some(mut body) = taken else {
            return if self.place().canceled { Err(download.aborted()) } else { Ok(None) };
        };
        let size = |piece: &Vec<u8>| piece.len() as u64;
        let piece = read_piece(network, download, size, body.read(), canceled.notified()).await?;
        if piece.is_some() {
            self.put(body);
        }
        Ok(piece)
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
