//! Values on their way between JavaScript and the core.

use napi::bindgen_prelude::{Error, Status};
use napi_derive::napi;
use orgo_core::client::address::ComputerAddress;
use orgo_core::client::credentials::Password;
use orgo_core::error::{self, EncodeError};
use orgo_core::rest::call::Output;
use orgo_core::rest::upload;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::owned::Bytes;

/// Where a channel is and what opens it.
#[derive(Deserialize)]
pub(crate) struct RawTarget {
    #[serde(flatten)]
    pub(crate) address: ComputerAddress,
    #[serde(default)]
    pub(crate) password: Option<Password>,
    /// Whether JavaScript is to be asked for a fresh password.
    #[serde(default)]
    pub(crate) refreshable: bool,
    #[serde(default)]
    pub(crate) max_reconnects: Option<f64>,
}

/// How a call ended.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Outcome {
    pub ok: bool,
    /// The value as JSON; for a picture what is known of it; else the `ErrorRecord`.
    pub json: String,
    /// A picture or the content of a file.
    pub bytes: Option<Bytes>,
}

impl From<Result<Output, error::Error>> for Outcome {
    fn from(result: Result<Output, error::Error>) -> Self {
        match result {
            Ok(Output::Value(value)) => Self { ok: true, json: value.to_string(), bytes: None },
            Ok(Output::Screenshot(picture)) => Self {
                ok: true,
                json: json!({
                    "mime_type": picture.mime_type,
                    "width": picture.width,
                    "height": picture.height,
                })
                .to_string(),
                bytes: Some(Bytes(picture.data)),
            },
            Ok(Output::Content(data)) => Self { ok: true, json: "null".to_owned(), bytes: Some(Bytes(data)) },
            Err(error) => Self { ok: false, json: error.record().to_string(), bytes: None },
        }
    }
}

/// How far an upload is, in bytes of the file.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct UploadProgress {
    pub loaded: f64,
    pub total: f64,
}

impl From<upload::UploadProgress> for UploadProgress {
    #[allow(clippy::cast_precision_loss, reason = "a file of 9 PB does not fit into memory")]
    fn from(uploaded: upload::UploadProgress) -> Self {
        Self { loaded: uploaded.loaded as f64, total: uploaded.total as f64 }
    }
}

/// An error for a synchronous caller: its message is the `ErrorRecord` as JSON.
pub(crate) fn thrown(error: &error::Error) -> Error {
    Error::new(Status::InvalidArg, error.record().to_string())
}

/// Reads a JSON argument of a function.
pub(crate) fn parse<T: DeserializeOwned>(owner: &str, name: &str, text: &str) -> Result<T, error::Error> {
    serde_json::from_str(text).map_err(|problem| {
        error::Error::Encode(EncodeError {
            operation: owner.to_owned(),
            field: name.to_owned(),
            // What serde says of a value could quote a secret: only the kind of the problem is told.
            problem: match problem.classify() {
                serde_json::error::Category::Data => "has a value of the wrong type".to_owned(),
                _ => "is not valid JSON".to_owned(),
            },
        })
    })
}
