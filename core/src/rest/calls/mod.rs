//! The REST calls, one declaration each. To add one, declare it in the file of its area and list it in [`OPERATIONS`].

pub mod actions;
pub mod computers;
pub mod files;
pub mod stream;
pub mod workspaces;

use crate::rest::operation::{Endpoint, Operation};
use crate::rest::schema::object;

object! {
    /// The server's word that a call was carried out.
    Acknowledged {
        /// Whether it was carried out.
        success: Option<bool>,
        /// The state that the computer is going to, where the server says so (G3).
        status: Option<String>,
        /// More in words.
        message: Option<String>,
    }
}

/// Every call by name. [`files::FILE_CONTENT`] is the one entry that is not an endpoint of its own.
pub const OPERATIONS: &[&Operation] = &[
    workspaces::CreateWorkspace::OPERATION,
    workspaces::ListWorkspaces::OPERATION,
    workspaces::GetWorkspace::OPERATION,
    workspaces::DeleteWorkspace::OPERATION,
    computers::CreateComputer::OPERATION,
    computers::GetComputer::OPERATION,
    computers::DeleteComputer::OPERATION,
    computers::GetVncPassword::OPERATION,
    computers::StartComputer::OPERATION,
    computers::StopComputer::OPERATION,
    computers::RestartComputer::OPERATION,
    actions::TakeScreenshot::OPERATION,
    actions::Click::OPERATION,
    actions::Drag::OPERATION,
    actions::TypeText::OPERATION,
    actions::PressKey::OPERATION,
    actions::Scroll::OPERATION,
    actions::Wait::OPERATION,
    actions::RunBash::OPERATION,
    actions::ExecPython::OPERATION,
    stream::StartStream::OPERATION,
    stream::GetStreamStatus::OPERATION,
    stream::StopStream::OPERATION,
    files::UploadFile::OPERATION,
    files::ListFiles::OPERATION,
    files::ExportFile::OPERATION,
    files::GetDownloadUrl::OPERATION,
    files::DeleteFile::OPERATION,
    &files::FILE_CONTENT,
];

/// The call of that name.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().copied().find(|operation| operation.name == name)
}
