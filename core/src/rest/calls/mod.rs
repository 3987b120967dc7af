//! The declarations of the REST calls. To add a call, declare it in the module of its area, and list it in
//! [`OPERATIONS`].

pub mod actions;
pub mod computers;
pub mod files;
pub mod stream;
pub mod workspaces;

use crate::rest::operation::{Endpoint, Operation};
use crate::rest::schema::object;

object! {
    /// The server's confirmation of a call.
    Acknowledged {
        /// Whether the call was executed.
        success: Option<bool>,
        /// The next state of the computer, if the server reports it.
        #[source("G3")]
        status: Option<String>,
        /// An explanation from the server.
        message: Option<String>,
    }
}

/// Every declared call. [`files::FILE_CONTENT`] and [`files::FILE_STREAM`] do not implement [`Endpoint`].
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
    &files::FILE_STREAM,
];

/// Returns the call with the given name, such as `computers.click`. Returns `None` if the name is not known.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().copied().find(|operation| operation.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_contain_their_parameters_in_the_declared_order() {
        for operation in OPERATIONS {
            let braces = operation.path.split('{').skip(1);
            let in_path: Vec<&str> = braces.map(|part| part.split('}').next().unwrap()).collect();
            let declared: Vec<&str> = operation.path_fields.iter().map(|field| field.name).collect();
            assert_eq!(in_path, declared, "{}", operation.name);
        }
    }
}
