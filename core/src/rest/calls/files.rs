//! Files: uploads to a workspace or a computer, exports from a computer.
//!
//! On the wire these calls use `projectId` and `desktopId`. This library uses `workspace_id` and `computer_id`
//! everywhere.

use crate::rest::calls::Acknowledged;
use crate::rest::operation::{Endpoint, Operation, ResponseKind, bare, endpoint};
use crate::rest::schema::{Rule, Typed, object};

object! {
    /// A stored file.
    StoredFile {
        /// UUID.
        id: String,
        /// Its name.
        filename: Option<String>,
        /// Its size in bytes.
        size_bytes: Option<i64>,
        /// Its MIME type.
        content_type: Option<String>,
        /// ISO 8601, UTC.
        created_at: Option<String>,
        /// `upload` or `export`.
        source: Option<String>,
        /// Whether an upload has reached its computer. Only the local desktop reports it.
        delivered: Option<bool>,
        /// Why an upload has not reached its computer. Only the local desktop reports it.
        delivery_error: Option<String>,
    }

    /// A file that was exported from a computer.
    ExportedFile {
        /// The stored file.
        file: StoredFile,
        /// The URL of the content, valid for an hour, without credentials.
        url: String,
    }

    /// The URL of the content of a file.
    DownloadUrl {
        /// The URL, valid for an hour, without credentials.
        url: String,
    }
}

endpoint! {
    /// Uploads a file. On a running computer, it appears in the desktop folder.
    UploadFile = "files.upload";
    Post "/files/upload", Once, Multipart => StoredFile, ResponseKind::Value { ty: StoredFile::TYPE, under: &["file"] };
    path {}
    fields {
        /// The workspace that the file belongs to.
        workspace_id: String { rule: Rule::NotEmpty, wire: &["projectId"] },
        /// The computer that receives the file.
        computer_id: Option<String> { rule: Rule::NotEmpty, wire: &["desktopId"] },
    }
}

endpoint! {
    /// Lists files.
    ListFiles = "files.list";
    Get "/files", Read, Query => Vec<StoredFile>, ResponseKind::Value { ty: Vec::<StoredFile>::TYPE, under: &["files"] };
    path {}
    fields {
        /// The workspace of the files.
        workspace_id: String { rule: Rule::NotEmpty, wire: &["projectId"] },
        /// The computer of the files.
        computer_id: Option<String> { rule: Rule::NotEmpty, wire: &["desktopId"] },
    }
}

endpoint! {
    /// Stores a file of a running computer, and returns its URL.
    ExportFile = "files.export";
    Post "/files/export", Once, Json => ExportedFile, bare(ExportedFile::TYPE);
    path {}
    fields {
        /// The computer that has the file.
        computer_id: String { rule: Rule::NotEmpty, wire: &["desktopId"] },
        /// The path: absolute, relative to the home folder, or with `~/`.
        path: String { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Returns the URL of the content of a file.
    GetDownloadUrl = "files.download";
    Get "/files/download", Read, Query => DownloadUrl, bare(DownloadUrl::TYPE);
    path {}
    fields {
        /// The file's id.
        id: String { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Deletes a file.
    DeleteFile = "files.delete";
    Delete "/files/delete", Idempotent, Query => Acknowledged, bare(Acknowledged::TYPE);
    path {}
    fields {
        /// The file's id.
        id: String { rule: Rule::NotEmpty },
    }
}

/// Fetches the content of a file: [`GetDownloadUrl`], then the returned URL.
pub const FILE_CONTENT: Operation = Operation {
    name: "files.bytes",
    doc: " Fetches the content of a file.\n",
    response: ResponseKind::Content,
    ..*GetDownloadUrl::OPERATION
};
