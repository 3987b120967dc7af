//! Files: uploaded to a workspace or a computer, exported from a computer.
//!
//! The wire says `projectId` and `desktopId` here; this library says `workspace_id` and `computer_id` everywhere.

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
        /// Whether an upload has reached its computer. Only the local desktop says so.
        delivered: Option<bool>,
        /// Why it has not. Only the local desktop says so.
        delivery_error: Option<String>,
    }

    /// A file that was exported from a computer.
    ExportedFile {
        /// The stored file.
        file: StoredFile,
        /// Where its content is, for an hour, without credentials.
        url: String,
    }

    /// Where a file's content is.
    DownloadUrl {
        /// Valid for an hour, without credentials.
        url: String,
    }
}

endpoint! {
    /// Uploads a file. A running computer finds it on its desktop.
    UploadFile = "files.upload";
    Post "/files/upload", Once, Multipart => StoredFile, ResponseKind::Value { ty: StoredFile::TYPE, under: &["file"] };
    path {}
    fields {
        /// The workspace that the file belongs to.
        workspace_id: String { rule: Rule::NotEmpty, wire: &["projectId"] },
        /// The computer that gets it.
        computer_id: Option<String> { rule: Rule::NotEmpty, wire: &["desktopId"] },
    }
}

endpoint! {
    /// Lists files.
    ListFiles = "files.list";
    Get "/files", Read, Query => Vec<StoredFile>, ResponseKind::Value { ty: Vec::<StoredFile>::TYPE, under: &["files"] };
    path {}
    fields {
        /// The workspace that they belong to.
        workspace_id: String { rule: Rule::NotEmpty, wire: &["projectId"] },
        /// The computer that they belong to.
        computer_id: Option<String> { rule: Rule::NotEmpty, wire: &["desktopId"] },
    }
}

endpoint! {
    /// Stores a file of a running computer and gives its URL.
    ExportFile = "files.export";
    Post "/files/export", Once, Json => ExportedFile, bare(ExportedFile::TYPE);
    path {}
    fields {
        /// The computer that has it.
        computer_id: String { rule: Rule::NotEmpty, wire: &["desktopId"] },
        /// Its path: absolute, from the home folder, or with `~/`.
        path: String { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Gives the URL of a file's content.
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

/// Fetches a file's content: [`GetDownloadUrl`], then the URL that it gives.
pub const FILE_CONTENT: Operation = Operation {
    name: "files.bytes",
    doc: " Fetches a file's content.\n",
    response: ResponseKind::Content,
    ..*GetDownloadUrl::OPERATION
};
