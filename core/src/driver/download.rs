//! Reads the content of a file as a stream.

use std::future::Future;
use std::pin::pin;

use futures_util::future::{Either, select};

use super::platform::Platform;
use crate::encoding::json::{Map, Value};
use crate::encoding::plain::{Fields, PlainObject};
use crate::error::Error;
use crate::rest::download::Download;
use crate::rest::http::SendFailure;

/// Waits for the next piece of a download. Returns `None` at the end. `read` reads the piece; dropping it must free the
/// connection. `canceled` is ready when the reader has aborted the stream.
///
/// # Errors
/// The [`Error`] that ended the stream.
pub async fn read_piece<P: Platform, T>(
    platform: &P,
    download: &mut Download,
    size: impl Fn(&T) -> u64,
    read: impl Future<Output = Result<Option<T>, SendFailure>>,
    canceled: impl Future<Output = ()>,
) -> Result<Option<T>, Error> {
    let (canceled, stalled) = (pin!(canceled), pin!(platform.sleep(download.idle_limit())));
    let read = match select(pin!(read), select(canceled, stalled)).await {
        Either::Left((read, _)) => read,
        Either::Right((Either::Left(_), _)) => return Err(download.aborted()),
        Either::Right((Either::Right(_), _)) => return Err(download.stalled()),
    };
    match read {
        Ok(Some(piece)) => download.receive(size(&piece)).map(|()| Some(piece)),
        Ok(None) => Ok(None),
        Err(failure) => Err(download.failed(failure)),
    }
}

/// Converts the result of a read to the form that JavaScript receives. The binding adds the bytes of a piece as its payload.
#[must_use]
pub fn piece_outcome(result: Result<(), Error>) -> PlainObject {
    let ok = ("ok", Value::from(result.is_ok()));
    let error = result.err().map(|error| ("error", error.record()));
    PlainObject {
        fields: Fields::Value(Value::Object(Map::from_iter([ok].into_iter().chain(error)))),
        payload: None,
    }
}
