//! Receives an upload as `multipart/form-data` and streams it to the disk.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_DISPOSITION;
use tokio::time::timeout;

use crate::app::{ApiError, App};
use crate::files::IncomingFile;

use super::disposition::{self, FilenameError};

/// The documented maximum size of an upload, in bytes.
const MAX_UPLOAD_BYTES: u64 = 10 * 1024 * 1024;
/// The maximum number of bytes that the server reads of an upload that is too large. A client that is still sending
/// when the connection closes does not receive the response.
const MAX_DRAINED_BYTES: u64 = 16 * MAX_UPLOAD_BYTES;
/// The maximum time to wait for more data.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum size of a text field, in bytes.
const MAX_TEXT_BYTES: usize = 1024;
/// The maximum length of a file name in Linux, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// The fields of an upload. The content is on the disk but not yet committed.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) filename: String,
    pub(super) content_type: String,
    pub(super) content: IncomingFile,
    pub(super) workspace_id: Option<String>,
    pub(super) computer_id: Option<String>,
}

/// The part of the form that contains the file.
struct FilePart {
    filename: String,
    content_type: String,
    content: IncomingFile,
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
        while let Some(field) = with_idle_timeout(form.next_field()).await? {
            match field.name() {
                Some("file") if file.is_some() => {
                    return Err(ApiError::bad_request(
                        "file: must occur only once; upload one file per request",
                    ));
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
    let filename = name_of(&field);
    let content_type = field.content_type().filter(|text| is_mime_type(text)).map(str::to_owned);
    let mut content = app.contents.create()?;
    while let Some(chunk) = with_idle_timeout(field.chunk()).await? {
        *length += chunk.len() as u64;
        if content.length() + chunk.len() as u64 <= MAX_UPLOAD_BYTES {
            content.write(&chunk).await?;
        } else {
            skip(field, length).await?;
            return Err(too_large());
        }
    }
    let filename = filename.map_err(|problem| ApiError::bad_request(format!("file: {problem}")))?;
    Ok(FilePart { content_type: content_type.unwrap_or_else(|| mime_type_of(&filename)), filename, content })
}

fn name_of(field: &Field<'_>) -> Result<String, &'static str> {
    let header = field.headers().get(CONTENT_DISPOSITION).map_or(&b""[..], |header| header.as_bytes());
    match disposition::filename(header) {
        Ok(name) => file_name(base_name(&name)),
        Err(FilenameError::Missing) => Err("must be a file with a name"),
        Err(FilenameError::Undecodable) => Err("must have a name in UTF-8"),
    }
}

/// Reads and discards the rest of a field.
async fn skip(mut field: Field<'_>, length: &mut u64) -> Result<(), ApiError> {
    while let Some(chunk) = with_idle_timeout(field.chunk()).await? {
        *length += chunk.len() as u64;
        if *length > MAX_DRAINED_BYTES {
            return Err(too_large());
        }
    }
    Ok(())
}

/// Reads a field as text. Returns `None` for empty text, because forms send empty fields for omitted values.
async fn text(name: &str, mut field: Field<'_>) -> Result<Option<String>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = with_idle_timeout(field.chunk()).await? {
        if bytes.len() + chunk.len() > MAX_TEXT_BYTES {
            return Err(ApiError::bad_request(format!(
                "{name}: must be at most {MAX_TEXT_BYTES} bytes long"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text =
        String::from_utf8(bytes).map_err(|_| ApiError::bad_request(format!("{name}: must be UTF-8")))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Waits at most [`IDLE_TIMEOUT`] for the next piece of a form.
async fn with_idle_timeout<T>(
    piece: impl Future<Output = Result<Option<T>, MultipartError>>,
) -> Result<Option<T>, ApiError> {
    let piece = timeout(IDLE_TIMEOUT, piece).await.map_err(|_| {
        let message = format!("The form is incomplete: no data arrived for {} s", IDLE_TIMEOUT.as_secs());
        ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
    })?;
    piece.map_err(|error| ApiError::bad_request(format!("The form cannot be read: {}", error.body_text())))
}

fn too_large() -> ApiError {
    let message = format!("file: must be at most {} MiB", MAX_UPLOAD_BYTES >> 20);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message).with("code", "file_too_large")
}

/// Returns the last component of a name that may be a path, as RFC 7578 (section 4.2) recommends. Browsers send a path
/// for a file in a selected folder; old browsers send a path that starts with a drive letter. A backslash is a
/// separator only after a drive letter, otherwise it is part of the name.
fn base_name(name: &str) -> &str {
    let drive = matches!(name.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic());
    let is_separator = |character| character == '/' || drive && character == '\\';
    name.rsplit(is_separator).next().unwrap_or_default()
}

/// Returns the file name in a path of a computer. The error explains why the path has no usable name.
pub(super) fn file_name(path: &str) -> Result<String, &'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name == "." || name == ".." {
        return Err("must have a name");
    }
    if name.len() > MAX_NAME_BYTES {
        return Err("must have a name of at most 255 bytes");
    }
    if name.contains('\0') {
        return Err("must have a name without NUL");
    }
    Ok(name.to_owned())
}

/// Returns the MIME type for the extension of a file name.
pub(super) fn mime_type_of(filename: &str) -> String {
    mime_guess::from_path(filename).first_or_octet_stream().to_string()
}

/// Returns whether the string is a valid MIME type: `type/subtype`, optionally with parameters.
fn is_mime_type(text: &str) -> bool {
    text.parse::<mime_guess::Mime>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_is_the_last_component_of_a_path() {
        for (path, name) in [
            ("a.txt", "a.txt"),
            ("C:\\files\\a b.txt", "a b.txt"),
            ("/x/../é.png", "é.png"),
            ("a\\b.txt", "a\\b.txt"),
            ("..\\..\\c.txt", "..\\..\\c.txt"),
            ("a\nb\u{1b}[2J", "a\nb\u{1b}[2J"),
            ("C:", "C:"),
        ] {
            assert_eq!(file_name(base_name(path)).as_deref(), Ok(name));
        }
        for path in ["", ".", "..", "a/..", "a/", "a\0b", "C:\\", &"x".repeat(256)] {
            assert!(file_name(base_name(path)).is_err(), "{path:?} was accepted");
        }
    }

    #[test]
    fn the_mime_type_depends_on_the_extension() {
        assert_eq!(mime_type_of("a.PNG"), "image/png");
        assert_eq!(mime_type_of("a"), "application/octet-stream");
    }
}
