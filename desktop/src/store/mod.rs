//! What survives the server: workspaces, computers and files, in one SQLite file.

mod computers;
mod files;
mod workspaces;

pub(crate) use computers::{ComputerRecord, NewComputer};
pub(crate) use files::{FileRecord, NewFile, Source};
pub(crate) use workspaces::WorkspaceRecord;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Params, Row};

/// The steps from an empty database to the tables of today. How many were taken is kept in the file as `user_version`, so
/// a step that was released never changes.
const MIGRATIONS: &[&str] = &[WORKSPACES_AND_COMPUTERS, FILES, DELIVERY_ERRORS];

const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

const WORKSPACES_AND_COMPUTERS: &str = "
    CREATE TABLE workspaces (
        id         TEXT PRIMARY KEY,
        name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
        status     TEXT NOT NULL,
        icon_url   TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE computers (
        slot         INTEGER PRIMARY KEY,
        id           TEXT NOT NULL UNIQUE,
        instance_id  TEXT NOT NULL UNIQUE,
        workspace_id TEXT NOT NULL REFERENCES workspaces (id),
        name         TEXT NOT NULL,
        os           TEXT NOT NULL,
        ram          REAL NOT NULL,
        cpu          REAL NOT NULL,
        gpu          TEXT NOT NULL,
        disk_size_gb REAL NOT NULL,
        width        INTEGER NOT NULL,
        height       INTEGER NOT NULL,
        should_run   INTEGER NOT NULL,
        created_at   TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
";

/// The content of a file lies outside, under its id.
const FILES: &str = "
    CREATE TABLE files (
        id           TEXT PRIMARY KEY,
        workspace_id TEXT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        computer_id  TEXT REFERENCES computers (id) ON DELETE SET NULL,
        filename     TEXT NOT NULL,
        size_bytes   INTEGER NOT NULL,
        content_type TEXT NOT NULL,
        source       TEXT NOT NULL,
        delivered    INTEGER NOT NULL,
        created_at   TEXT NOT NULL
    ) STRICT;
    CREATE INDEX files_by_workspace ON files (workspace_id);
    CREATE INDEX files_by_computer ON files (computer_id);
";

/// Why the last try to deliver an upload failed.
const DELIVERY_ERRORS: &str = "ALTER TABLE files ADD COLUMN delivery_error TEXT;";

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The name is taken by another of its kind.
    #[error("the name is taken")]
    NameTaken,
    /// The workspace that was named does not exist, or the computer of a file.
    #[error("the workspace does not exist")]
    NoWorkspace,
    /// The file was written by a later version of this program.
    #[error("the data were written by a later version (schema {0}): use that one, or another data folder")]
    FromTheFuture(u32),
    #[error("the disk is full")]
    DiskFull,
    #[error("the database failed: {0}")]
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Database(error),
        }
    }
}

/// The open database. Statements take well under a millisecond, so they run where they are called, one at a time.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the file, or makes it.
    pub(crate) fn open(file: &Path) -> Result<Self, StoreError> {
        Self::prepare(Connection::open(file)?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, StoreError> {
        // The data folder has one server at a time. So SQLite needs no shared memory file, for which a full disk has no room.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let transaction = connection.transaction()?;
        let taken: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if taken > SCHEMA_VERSION {
            return Err(StoreError::FromTheFuture(taken));
        }
        for (step, version) in MIGRATIONS.iter().zip(1..) {
            if version > taken {
                transaction.execute_batch(step)?;
            }
        }
        // A home can fill the disk: what is there already needs no room.
        if taken < SCHEMA_VERSION {
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        transaction.commit()?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs a statement that gives the row it made. It has a transaction, since a bare statement of which one row is read is
    /// committed when it is dropped, where nobody learns that the commit failed.
    fn insert<T>(
        &self,
        statement: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let made = transaction.query_row(statement, values, read).map_err(explain)?;
        transaction.commit()?;
        Ok(made)
    }

    /// A statement either happened or did not, so a panic elsewhere leaves nothing half done here.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the two failures that a caller can mend from the rest.
fn explain(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE) => StoreError::NameTaken,
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::NoWorkspace,
        _ => error.into(),
    }
}

#[cfg(test)]
impl Store {
    fn in_memory() -> Self {
        Self::prepare(Connection::open_in_memory().expect("SQLite needs nothing else")).expect("it is empty")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_file_is_opened_again_and_a_later_one_refused() {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let file = folder.path().join("orgo.db");
        let workspace = Store::open(&file).and_then(|store| store.create_workspace("lab", "active", None));
        let id = workspace.expect("the name is free").id;
        let store = Store::open(&file).expect("the file is sound");
        assert_eq!(store.workspaces().expect("it can be read")[0].id, id);
        let newer = store.connection().pragma_update(None, "user_version", SCHEMA_VERSION + 1);
        newer.expect("the file is writable");
        drop(store);
        assert!(matches!(Store::open(&file), Err(StoreError::FromTheFuture(_))));
    }

    #[test]
    fn the_file_of_an_earlier_version_keeps_what_is_in_it() {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let file = folder.path().join("orgo.db");
        let earlier = Connection::open(&file).expect("the folder is ours");
        earlier.execute_batch(WORKSPACES_AND_COMPUTERS).expect("it is empty");
        earlier.pragma_update(None, "user_version", 1).expect("it is writable");
        let old = Store { connection: Mutex::new(earlier) };
        let workspace = old.create_workspace("lab", "active", None).expect("the name is free");
        drop(old);
        let store = Store::open(&file).expect("it can be brought up to date");
        assert_eq!(store.workspaces().expect("it can be read"), std::slice::from_ref(&workspace));
        assert_eq!(store.files(&workspace.id, None).expect("it can be read"), []);
    }
}
