//! Workspaces, the groups of computers and files. On the server, `/projects` is a deprecated alias.

use crate::rest::calls::Acknowledged;
use crate::rest::calls::computers::Computer;
use crate::rest::operation::{ResponseKind, bare, endpoint};
use crate::rest::schema::{Rule, Typed, object};

object! {
    /// A group of computers and files.
    Workspace {
        /// The UUID of the workspace.
        id: String,
        /// The name, which is unique within the account.
        name: String,
        /// The UUID of the owner.
        user_id: Option<String>,
        /// `active` or `inactive`.
        status: Option<String>,
        /// The URL of an icon.
        icon_url: Option<String>,
        /// The time of creation: ISO 8601, UTC.
        created_at: Option<String>,
        /// The time of the last change: ISO 8601, UTC.
        updated_at: Option<String>,
        /// The number of computers, in responses that do not list them.
        computer_count: Option<i64>,
        /// The computers of the workspace.
        desktops: Option<Vec<Computer>>,
    }
}

/// Older generations of the service wrap a workspace in an object; newer generations do not.
const WORKSPACE: ResponseKind = ResponseKind::Value { ty: Workspace::TYPE, under: &["workspace", "project"] };

endpoint! {
    /// Creates a workspace.
    CreateWorkspace = "workspaces.create";
    Post "/workspaces", Once, Json => Workspace, WORKSPACE;
    path {}
    fields {
        /// A name that is unique within the account.
        name: String { rule: Rule::NotEmpty },
    }
}

endpoint! {
    /// Lists all workspaces. The service has no pagination.
    ListWorkspaces = "workspaces.list";
    Get "/workspaces", Read, Query => Vec<Workspace>, ResponseKind::Value {
        ty: Vec::<Workspace>::TYPE,
        under: &["workspaces", "projects"],
    };
    path {}
    fields {}
}

endpoint! {
    /// Fetches a workspace with its computers.
    GetWorkspace = "workspaces.get";
    Get "/workspaces/{id}", Read, Query => Workspace, WORKSPACE;
    path {
        /// The workspace's id.
        id,
    }
    fields {}
}

endpoint! {
    /// Deletes a workspace and every computer in it.
    DeleteWorkspace = "workspaces.delete";
    Delete "/workspaces/{id}", Idempotent, Query => Acknowledged, bare(Acknowledged::TYPE);
    path {
        /// The workspace's id.
        id,
    }
    fields {}
}
