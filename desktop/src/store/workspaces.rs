//! The table of workspaces.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::timestamp;

/// A row of the table of workspaces. The fields have the names that the API uses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct WorkspaceRecord {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The status: `active` or `inactive`.
    pub(crate) status: String,
    pub(crate) icon_url: Option<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

impl WorkspaceRecord {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            status: row.get("status")?,
            icon_url: row.get("icon_url")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

impl Store {
    /// Inserts a workspace. Fails if a workspace already has this name, ignoring case.
    pub(crate) fn create_workspace(
        &self,
        name: &str,
        status: &str,
        icon_url: Option<&str>,
    ) -> Result<WorkspaceRecord, StoreError> {
        let now = timestamp::seconds();
        self.insert(
            "INSERT INTO workspaces (id, name, status, icon_url, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5) RETURNING *",
            params![Uuid::new_v4().to_string(), name, status, icon_url, now],
            WorkspaceRecord::read,
        )
    }

    /// Returns all workspaces, oldest first.
    pub(crate) fn workspaces(&self) -> Result<Vec<WorkspaceRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT * FROM workspaces ORDER BY rowid")?;
        let rows = statement.query_map([], WorkspaceRecord::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn workspace(&self, id: &str) -> Result<Option<WorkspaceRecord>, StoreError> {
        self.find_workspace("SELECT * FROM workspaces WHERE id = ?1", id)
    }

    pub(crate) fn workspace_by_name(&self, name: &str) -> Result<Option<WorkspaceRecord>, StoreError> {
        self.find_workspace("SELECT * FROM workspaces WHERE name = ?1", name)
    }

    /// Deletes the workspace if it has no computers. Returns whether it was deleted.
    pub(crate) fn delete_workspace(&self, id: &str) -> Result<bool, StoreError> {
        let deleted = self.connection().execute(
            "DELETE FROM workspaces
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM computers WHERE workspace_id = ?1)",
            [id],
        )?;
        Ok(deleted > 0)
    }

    fn find_workspace(&self, query: &str, key: &str) -> Result<Option<WorkspaceRecord>, StoreError> {
        Ok(self.connection().query_row(query, [key], WorkspaceRecord::read).optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_is_found_until_it_is_deleted() {
        let store = Store::in_memory();
        let created = store.create_workspace("lab", "active", None).expect("the name is free");
        assert_eq!(store.workspace(&created.id).expect("the database is readable"), Some(created.clone()));
        assert_eq!(store.workspace_by_name("LAB").expect("the database is readable"), Some(created.clone()));
        assert!(store.delete_workspace(&created.id).expect("the database is writable"));
        assert!(!store.delete_workspace(&created.id).expect("the database is writable"));
        assert_eq!(store.workspaces().expect("the database is readable"), []);
    }

    #[test]
    fn names_are_unique_regardless_of_case() {
        let store = Store::in_memory();
        store.create_workspace("lab", "active", None).expect("the name is free");
        assert!(matches!(store.create_workspace("Lab", "active", None), Err(StoreError::NameTaken)));
    }
}
