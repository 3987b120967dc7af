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
        /// The UUID of the file.
        id: String,
        /// The name of the file.
        filename: Option<String>,
        /// The size of the file, in bytes.
        size_bytes: Option<i64>,
        /// The MIME type of the file.
        content_type: Option<String>,
        /// The time at which the file was stored: ISO 8601, UTC.
        created_at: Option<String>,
        /// The origin of the file: `upload` or `export`.
        source: Option<String>,
        /// Whether an uploaded file has reached the computer. Only the local desktop reports this field.
        delivered: Option<bool>,
        /// Why an uploaded file has not reached the computer. Only the local desktop reports this field.
        delivery_error: Option<String>,
    }

    /// A file that was exported from a computer.
    ExportedFile {
        /// The stored file.
        file: StoredFile,
        /// The URL of the content, which is valid for an hour and needs no API key.
        url: String,
    }

    /// The URL of the content of a file.
    DownloadUrl {
        /// The URL, which is valid for an hour and needs no API key.
        url: String,
    }
}

endpoint! {
    /// Uploads a file. If the computer is running, the file appears in the desktop folder.
    UploadFile = "files.upload";
    Post "/files/upload", Once, Multipart => StoredFile, ResponseKind::Value { ty: StoredFile::TYPE, under: &["file"] };
    path {}
    fields {
        /// The UUID of the workspace that the file belongs to.
        workspace_id: String { rule: Rule::NotEmpty, wire: &["projectId"] },
        /// The UUID of the computer that receives the file.
        computer_id: Option<String> { rule: Rule::NotEmpty, wire: &["desktopId"] },
    }
}

endpoint! {
    /// Lists the stored files of a workspace.
    ListFiles = "files.list";
    Get "/files", Read, Query => Vec<StoredFile>, ResponseKind::Value { ty: Vec::<StoredFile>::TYPE, under: &["files"] };
    path {}
    fields {
        /// The UUID of the workspace.
        workspace_id: String { rule: Rule::NotEmpty, wire: &["projectId"] },
        /// The UUID of a computer, to list only the files of this computer.
        computer_id: Option<String> { rule: Rule::NotEmpty, wire: &["desktopId"] },
    }
}

endpoint! {
    /// Stores a file of a running computer, and returns the URL of the content.
    ExportFile = "files.export";
    Post "/files/export", Once, Json => ExportedFile, bare(ExportedFile::TYPE);
    path {}
    fields {
        /// The UUID of the computer that has the file.
        computer_id: String { rule: Rule::NotEmpty, wire: &["desktopId"] },
        /// The path: absolute, relative to the home folder, or starting with `~/`.
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

/// Streams the content of a file: [`GetDownloadUrl`], then the returned URL.
pub const FILE_STREAM: Operation = Operation {
    name: "files.stream",
    #[cfg(feature = "describe")]
    doc: " Streams the content of a file.\n",
    response: ResponseKind::Stream,
    ..*GetDownloadUrl::OPERATION
};

/// Fetches the content of a file: [`GetDownloadUrl`], then the returned URL.
pub const FILE_CONTENT: Operation = Operation {
    name: "files.bytes",
    #[cfg(feature = "describe")]
    doc: " Fetches the content of a file.\n",
    response: ResponseKind::Content,
    ..*GetDownloadUrl::OPERATION
};
