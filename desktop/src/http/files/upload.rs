//! Taking an upload in: `multipart/form-data`, streamed to the disk.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use tokio::time::timeout;

use crate::app::{ApiError, App};
use crate::files::Arrival;

/// The largest upload in bytes, as the documents have it.
const LIMIT: u64 = 10 * 1024 * 1024;
/// A client that is still sending when the connection closes does not see the answer, so what is too much is read on for
/// a while.
const PATIENT_LIMIT: u64 = 16 * LIMIT;
/// How long nothing may arrive.
const PAUSE_LIMIT: Duration = Duration::from_secs(30);
/// Of the fields beside the file, in bytes.
const TEXT_LIMIT: usize = 1024;
/// The longest name that Linux gives a file, in bytes.
const NAME_LIMIT: usize = 255;

/// The fields of an upload, with the file's content on the disk but not yet in its place.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) filename: String,
    pub(super) content_type: String,
    pub(super) content: Arrival,
    pub(super) workspace_id: Option<String>,
    pub(super) computer_id: Option<String>,
}

/// The part that holds the file.
struct FilePart {
    filename: String,
    content_type: String,
    content: Arrival,
}

impl FromRequest<Arc<App>> for Upload {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let mut form = Multipart::from_request(request, app).await.map_err(|_| {
            ApiError::bad_request(
                "The body must be multipart/form-data with a boundary and a field named file",
            )
        })?;
        let (mut file, mut workspace_id, mut computer_id) = (None, None, None);
        let mut length = 0;
        while let Some(field) = arriving(form.next_field()).await? {
            match field.name() {
                Some("file") if file.is_some() => {
                    return Err(ApiError::bad_request("file: only one is taken at a time"));
                }
                Some("file") => file = Some(receive(field, app, &mut length).await?),
                Some("projectId") => workspace_id = text("projectId", field).await?,
                Some("desktopId") => computer_id = text("desktopId", field).await?,
                _ => skip(field, &mut length).await?,
            }
        }
        let FilePart { filename, content_type, content } =
            file.ok_or_else(|| ApiError::bad_request("file is required"))?;
        Ok(Self { filename, content_type, content, workspace_id, computer_id })
    }
}

async fn receive(mut field: Field<'_>, app: &App, length: &mut u64) -> Result<FilePart, ApiError> {
    let filename = field.file_name().map(file_name);
    let content_type = field.content_type().filter(|text| is_type(text)).map(str::to_owned);
    let mut content = app.contents.arrival()?;
    while let Some(chunk) = arriving(field.chunk()).await? {
        *length += chunk.len() as u64;
        if content.length() + chunk.len() as u64 <= LIMIT {
            content.write(&chunk).await?;
        } else {
            skip(field, length).await?;
            return Err(too_large());
        }
    }
    let filename = filename
        .ok_or_else(|| ApiError::bad_request("file: must be a file with a name"))?
        .map_err(|problem| ApiError::bad_request(format!("file: {problem}")))?;
    Ok(FilePart { content_type: content_type.unwrap_or_else(|| type_of(&filename)), filename, content })
}

/// Reads to the end of a field.
async fn skip(mut field: Field<'_>, length: &mut u64) -> Result<(), ApiError> {
    while let Some(chunk) = arriving(field.chunk()).await? {
        *length += chunk.len() as u64;
        if *length > PATIENT_LIMIT {
            return Err(too_large());
        }
    }
    Ok(())
}

/// An empty text counts as none: forms send those for what was left out.
async fn text(name: &str, mut field: Field<'_>) -> Result<Option<String>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = arriving(field.chunk()).await? {
        if bytes.len() + chunk.len() > TEXT_LIMIT {
            return Err(ApiError::bad_request(format!("{name}: is too long")));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).map_err(|_| ApiError::bad_request(format!("{name}: is not text")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The next piece of a form, which must not be long in coming.
async fn arriving<T>(
    piece: impl Future<Output = Result<Option<T>, MultipartError>>,
) -> Result<Option<T>, ApiError> {
    let piece = timeout(PAUSE_LIMIT, piece).await.map_err(|_| {
        let message = format!("Nothing of the form arrived for {} s", PAUSE_LIMIT.as_secs());
        ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
    })?;
    piece.map_err(|error| ApiError::bad_request(format!("The form cannot be read: {}", error.body_text())))
}

fn too_large() -> ApiError {
    let message = format!("file: must be at most {} MiB", LIMIT >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message).with("code", "file_too_large")
}

/// The name in a path, which some clients send: on Windows too.
pub(super) fn file_name(path: &str) -> Result<String, &'static str> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() || name == "." || name == ".." {
        return Err("has no name");
    }
    if name.len() > NAME_LIMIT {
        return Err("has a name of more than 255 bytes");
    }
    if name.chars().any(char::is_control) {
        return Err("has a name with control characters");
    }
    Ok(name.to_owned())
}

/// The MIME type that a name's ending stands for.
pub(super) fn type_of(filename: &str) -> String {
    mime_guess::from_path(filename).first_or_octet_stream().to_string()
}

/// Whether it can be sent as a header: `type/subtype`, perhaps with parameters.
fn is_type(text: &str) -> bool {
    text.parse::<mime_guess::Mime>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path() {
        for (path, name) in [("a.txt", "a.txt"), ("C:\\files\\a b.txt", "a b.txt"), ("/x/../é.png", "é.png")]
        {
            assert_eq!(file_name(path), Ok(name.to_owned()));
        }
        for path in ["", ".", "..", "a/..", "a/", "a\0b", "a\nb", &"x".repeat(256)] {
            assert!(file_name(path).is_err(), "{path:?} was accepted");
        }
    }

    #[test]
    fn a_type_follows_from_the_name() {
        assert_eq!(type_of("a.PNG"), "image/png");
        assert_eq!(type_of("a"), "application/octet-stream");
    }
}
