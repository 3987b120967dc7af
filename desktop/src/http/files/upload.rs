//! Taking an upload in: `multipart/form-data`, streamed to the disk.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_DISPOSITION;
use tokio::time::timeout;

use crate::app::{ApiError, App};
use crate::files::Arrival;

use super::disposition::{self, NoName};

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
    let filename = name_of(&field);
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
    let filename = filename.map_err(|problem| ApiError::bad_request(format!("file: {problem}")))?;
    Ok(FilePart { content_type: content_type.unwrap_or_else(|| type_of(&filename)), filename, content })
}

fn name_of(field: &Field<'_>) -> Result<String, &'static str> {
    let header = field.headers().get(CONTENT_DISPOSITION).map_or(&b""[..], |header| header.as_bytes());
    match disposition::filename(header) {
        Ok(name) => file_name(last_part(&name)),
        Err(NoName::Missing) => Err("must be a file with a name"),
        Err(NoName::NotText) => Err("has a name that is not UTF-8"),
    }
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

/// The last part of the path that a form contains instead of a name, as RFC 7578 advises (section 4.2). Browsers send a path
/// for a file of a folder; old ones send one that begins with a drive. Any other backslash is part of the name.
fn last_part(name: &str) -> &str {
    let drive = matches!(name.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic());
    let is_separator = |character| character == '/' || drive && character == '\\';
    name.rsplit(is_separator).next().unwrap_or_default()
}

/// The name of the file at a path of a computer.
pub(super) fn file_name(path: &str) -> Result<String, &'static str> {
    let name = path.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name == "." || name == ".." {
        return Err("has no name");
    }
    if name.len() > NAME_LIMIT {
        return Err("has a name of more than 255 bytes");
    }
    if name.contains('\0') {
        return Err("has a name with NUL");
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
        for (path, name) in [
            ("a.txt", "a.txt"),
            ("C:\\files\\a b.txt", "a b.txt"),
            ("/x/../é.png", "é.png"),
            ("a\\b.txt", "a\\b.txt"),
            ("..\\..\\c.txt", "..\\..\\c.txt"),
            ("a\nb\u{1b}[2J", "a\nb\u{1b}[2J"),
            ("C:", "C:"),
        ] {
            assert_eq!(file_name(last_part(path)).as_deref(), Ok(name));
        }
        for path in ["", ".", "..", "a/..", "a/", "a\0b", "C:\\", &"x".repeat(256)] {
            assert!(file_name(last_part(path)).is_err(), "{path:?} was accepted");
        }
    }

    #[test]
    fn a_type_follows_from_the_name() {
        assert_eq!(type_of("a.PNG"), "image/png");
        assert_eq!(type_of("a"), "application/octet-stream");
    }
}
