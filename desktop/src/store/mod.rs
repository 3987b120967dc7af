//! The persistent records of workspaces, computers and files, in one SQLite database.

mod computers;
mod files;
mod workspaces;

pub(crate) use computers::{ComputerRecord, NewComputer};
pub(crate) use files::{FileRecord, NewFile, Source};
pub(crate) use workspaces::WorkspaceRecord;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Params, Row};

/// The migrations from an empty database to the current schema. SQLite's `user_version` contains the number of applied
/// migrations, so a released migration must never change.
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

/// Creates the table of files. The content of a file is not in the database: see [`crate::files`].
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

/// Adds the reason why the last attempt to deliver an upload failed.
const DELIVERY_ERRORS: &str = "ALTER TABLE files ADD COLUMN delivery_error TEXT;";

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Another record of the same kind already has this name.
    #[error("the name already exists")]
    NameTaken,
    /// The workspace of a computer or file does not exist, or the computer of a file does not exist.
    #[error("the workspace does not exist")]
    NoWorkspace,
    /// A newer version of this program wrote the database.
    #[error("a newer version wrote the database (schema {0}): run that version, or use another data folder")]
    NewerSchema(u32),
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

/// The open database. A statement takes much less than a millisecond, so it runs on the caller's thread. Only one
/// statement runs at a time.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the database, or creates it if it does not exist.
    pub(crate) fn open(file: &Path) -> Result<Self, StoreError> {
        Self::prepare(Connection::open(file)?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, StoreError> {
        // Only one server uses a data folder. In exclusive mode SQLite needs no shared memory file, which it could
        // not create on a full disk.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let transaction = connection.transaction()?;
        let applied: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if applied > SCHEMA_VERSION {
            return Err(StoreError::NewerSchema(applied));
        }
        for (migration, version) in MIGRATIONS.iter().zip(1..) {
            if version > applied {
                transaction.execute_batch(migration)?;
            }
        }
        // Writes only if a migration was applied, so that a current database also opens on a full disk.
        if applied < SCHEMA_VERSION {
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        transaction.commit()?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs a statement that returns the inserted row. Runs it in a transaction, because otherwise SQLite would commit
    /// when the statement is dropped, and rusqlite ignores errors of a drop.
    fn insert<T>(
        &self,
        statement: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let inserted = transaction.query_row(statement, values, read).map_err(classify)?;
        transaction.commit()?;
        Ok(inserted)
    }

    /// Ignores poisoning of the mutex: statements are atomic, so a panic leaves no partial change.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Converts an SQLite error. Errors that a caller can fix have their own variants.
fn classify(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE) => StoreError::NameTaken,
        Some(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::NoWorkspace,
        _ => error.into(),
    }
}

#[cfg(test)]
impl Store {
    fn in_memory() -> Self {
        Self::prepare(Connection::open_in_memory().expect("SQLite opens in memory"))
            .expect("the database is empty")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_database_opens_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().expect("/tmp is writable");
        let file = folder.path().join("orgo.db");
        let workspace = Store::open(&file).and_then(|store| store.create_workspace("lab", "active", None));
        let id = workspace.expect("the name is free").id;
        let store = Store::open(&file).expect("the database is valid");
        assert_eq!(store.workspaces().expect("the database is readable")[0].id, id);
        let newer = store.connection().pragma_update(None, "user_version", SCHEMA_VERSION + 1);
        newer.expect("the file is writable");
        drop(store);
        assert!(matches!(Store::open(&file), Err(StoreError::NewerSchema(_))));
    }

    #[test]
    fn migrations_keep_existing_records() {
        let folder = tempfile::tempdir().expect("/tmp is writable");
        let file = folder.path().join("orgo.db");
        let earlier = Connection::open(&file).expect("the directory is writable");
        earlier.execute_batch(WORKSPACES_AND_COMPUTERS).expect("the database is empty");
        earlier.pragma_update(None, "user_version", 1).expect("the database is writable");
        let old = Store { connection: Mutex::new(earlier) };
        let workspace = old.create_workspace("lab", "active", None).expect("the name is free");
        drop(old);
        let store = Store::open(&file).expect("the migrations succeed");
        assert_eq!(store.workspaces().expect("the database is readable"), std::slice::from_ref(&workspace));
        assert_eq!(store.files(&workspace.id, None).expect("the database is readable"), []);
    }
}
