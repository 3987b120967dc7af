//! The table of files: their metadata. [`crate::files`] stores their content.

use std::collections::HashSet;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Store, StoreError};
use crate::timestamp;

/// The origin of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// A client uploaded the file.
    Upload,
    /// The file was exported from a computer.
    Export,
}

impl Source {
    /// Returns the name of the source in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Export => "export",
        }
    }
}

impl ToSql for Source {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.name().into())
    }
}

impl FromSql for Source {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "upload" => Ok(Self::Upload),
            "export" => Ok(Self::Export),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// The metadata of a new file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct NewFile {
    pub(crate) id: String,
    pub(crate) workspace_id: String,
    /// The computer that an upload is for, or that an export comes from.
    pub(crate) computer_id: Option<String>,
    pub(crate) filename: String,
    pub(crate) size_bytes: u64,
    pub(crate) content_type: String,
    pub(crate) source: Source,
}

/// A row of the table of files.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileRecord {
    pub(crate) file: NewFile,
    /// Whether the upload was delivered to its computer. Always true for an export, and for an upload without a
    /// computer.
    pub(crate) delivered: bool,
    /// The reason why the last attempt to deliver the file failed.
    pub(crate) delivery_error: Option<String>,
    pub(crate) created_at: String,
}

impl FileRecord {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            file: NewFile {
                id: row.get("id")?,
                workspace_id: row.get("workspace_id")?,
                computer_id: row.get("computer_id")?,
                filename: row.get("filename")?,
                size_bytes: row.get::<_, i64>("size_bytes")?.unsigned_abs(),
                content_type: row.get("content_type")?,
                source: row.get("source")?,
            },
            delivered: row.get("delivered")?,
            delivery_error: row.get("delivery_error")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl Store {
    /// Inserts a file whose content is already stored. An upload for a computer is then pending delivery.
    pub(crate) fn add_file(&self, file: &NewFile) -> Result<FileRecord, StoreError> {
        let delivered = file.source == Source::Export || file.computer_id.is_none();
        self.insert(
            "INSERT INTO files (id, workspace_id, computer_id, filename, size_bytes, content_type, source, delivered,
                                created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING *",
            params![
                file.id,
                file.workspace_id,
                file.computer_id,
                file.filename,
                // SQLite's integers are signed. No file size exceeds their range.
                i64::try_from(file.size_bytes).unwrap_or(i64::MAX),
                file.content_type,
                file.source,
                delivered,
                timestamp::seconds(),
            ],
            FileRecord::read,
        )
    }

    pub(crate) fn file(&self, id: &str) -> Result<Option<FileRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT * FROM files WHERE id = ?1")?;
        Ok(statement.query_row([id], FileRecord::read).optional()?)
    }

    /// Returns the files of a workspace, or only those of one of its computers, oldest first.
    pub(crate) fn files(
        &self,
        workspace_id: &str,
        computer_id: Option<&str>,
    ) -> Result<Vec<FileRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT * FROM files WHERE workspace_id = ?1 AND (?2 IS NULL OR computer_id = ?2) ORDER BY rowid",
        )?;
        let rows = statement.query_map([Some(workspace_id), computer_id], FileRecord::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the ids of all files.
    pub(crate) fn file_ids(&self) -> Result<HashSet<String>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT id FROM files")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the uploads that are pending delivery to a computer, oldest first.
    pub(crate) fn undelivered_files(&self, computer_id: &str) -> Result<Vec<FileRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT * FROM files WHERE computer_id = ?1 AND NOT delivered ORDER BY rowid")?;
        let rows = statement.query_map([computer_id], FileRecord::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn set_delivered(&self, id: &str) -> Result<(), StoreError> {
        self.connection()
            .execute("UPDATE files SET delivered = TRUE, delivery_error = NULL WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Stores the reason why the delivery of a file failed.
    pub(crate) fn set_delivery_error(&self, id: &str, error: &str) -> Result<(), StoreError> {
        self.connection()
            .execute("UPDATE files SET delivery_error = ?2 WHERE id = ?1 AND NOT delivered", [id, error])?;
        Ok(())
    }

    /// Deletes the record of a file. Returns `false` if it does not exist.
    pub(crate) fn delete_file(&self, id: &str) -> Result<bool, StoreError> {
        Ok(self.connection().execute("DELETE FROM files WHERE id = ?1", [id])? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::computer::Resolution;
    use crate::store::NewComputer;

    fn upload(id: &str, workspace: &str, computer: Option<&str>) -> NewFile {
        NewFile {
            id: id.into(),
            workspace_id: workspace.into(),
            computer_id: computer.map(str::to_owned),
            filename: "a.txt".into(),
            size_bytes: 3,
            content_type: "text/plain".into(),
            source: Source::Upload,
        }
    }

    fn ids(files: &[FileRecord]) -> Vec<&str> {
        files.iter().map(|record| record.file.id.as_str()).collect()
    }

    #[test]
    fn an_upload_is_pending_until_delivered_and_outlives_its_computer() {
        let store = Store::in_memory();
        let workspace = store.create_workspace("lab", "active", None).expect("the name is free").id;
        let spec = NewComputer {
            workspace_id: workspace.clone(),
            name: "one".into(),
            os: "linux".into(),
            ram: 4.0,
            cpu: 2.0,
            gpu: "none".into(),
            disk_size_gb: 8.0,
            resolution: Resolution::default(),
        };
        let computer = store.create_computer(&spec).expect("the name is free").id;
        store.add_file(&upload("1", &workspace, Some(&computer))).expect("both exist");
        store.add_file(&upload("2", &workspace, None)).expect("the workspace exists");
        let export = NewFile { source: Source::Export, ..upload("3", &workspace, Some(&computer)) };
        store.add_file(&export).expect("both exist");

        assert_eq!(ids(&store.undelivered_files(&computer).expect("the database is readable")), ["1"]);
        store.set_delivery_error("1", "no room").expect("the database is writable");
        let record = store.file("1").expect("the database is readable").expect("the file exists");
        assert_eq!((record.delivered, record.delivery_error.as_deref()), (false, Some("no room")));
        store.set_delivered("1").expect("the database is writable");
        store.set_delivery_error("1", "late").expect("the database is writable");
        let record = store.file("1").expect("the database is readable").expect("the file exists");
        assert_eq!((record.delivered, record.delivery_error), (true, None));
        assert_eq!(store.undelivered_files(&computer).expect("the database is readable"), []);
        assert_eq!(
            ids(&store.files(&workspace, Some(&computer)).expect("the database is readable")),
            ["1", "3"]
        );

        store.delete_computer(&computer).expect("the database is writable");
        let kept = store.file("1").expect("the database is readable").expect("the file exists");
        assert_eq!(kept.file.computer_id, None);
        assert!(store.delete_workspace(&workspace).expect("the database is writable"));
        assert_eq!(store.file("2").expect("the database is readable"), None);
    }

    #[test]
    fn a_file_needs_a_workspace() {
        let refused = Store::in_memory().add_file(&upload("1", "none", None));
        assert!(matches!(refused, Err(StoreError::NoWorkspace)));
    }
}
