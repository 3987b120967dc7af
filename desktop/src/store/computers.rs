//! The table of computers.

use rusqlite::{OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Store, StoreError};
use crate::computer::Resolution;
use crate::timestamp;

/// The parameters of a new computer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewComputer {
    pub(crate) workspace_id: String,
    pub(crate) name: String,
    pub(crate) os: String,
    /// The memory in GB.
    pub(crate) ram: f64,
    /// The number of CPU cores.
    pub(crate) cpu: f64,
    pub(crate) gpu: String,
    pub(crate) disk_size_gb: f64,
    pub(crate) resolution: Resolution,
}

/// A row of the table of computers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ComputerRecord {
    /// A small number, unique among the existing computers.
    pub(crate) slot: u32,
    pub(crate) id: String,
    /// A second id, which is part of the URLs of the WebSocket channels.
    pub(crate) instance_id: String,
    pub(crate) spec: NewComputer,
    /// Whether the server starts the computer when the server itself starts.
    pub(crate) should_run: bool,
    pub(crate) created_at: String,
}

impl ComputerRecord {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            slot: row.get("slot")?,
            id: row.get("id")?,
            instance_id: row.get("instance_id")?,
            spec: NewComputer {
                workspace_id: row.get("workspace_id")?,
                name: row.get("name")?,
                os: row.get("os")?,
                ram: row.get("ram")?,
                cpu: row.get("cpu")?,
                gpu: row.get("gpu")?,
                disk_size_gb: row.get("disk_size_gb")?,
                resolution: Resolution { width: row.get("width")?, height: row.get("height")? },
            },
            should_run: row.get("should_run")?,
            created_at: row.get("created_at")?,
        })
    }
}

impl Store {
    /// Inserts a computer that should run. Fails if the workspace already has a computer with this name.
    pub(crate) fn create_computer(&self, spec: &NewComputer) -> Result<ComputerRecord, StoreError> {
        let id = Uuid::new_v4();
        let instance_id = Uuid::new_v4().simple().to_string();
        self.insert(
                "INSERT INTO computers (id, instance_id, workspace_id, name, os, ram, cpu, gpu, disk_size_gb, width,
                                        height, should_run, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, TRUE, ?12) RETURNING *",
                params![
                    id.to_string(),
                    // The hosted service's instance ids have eight hexadecimal digits.
                    &instance_id[..8],
                    spec.workspace_id,
                    spec.name,
                    spec.os,
                    spec.ram,
                    spec.cpu,
                    spec.gpu,
                    spec.disk_size_gb,
                    spec.resolution.width,
                    spec.resolution.height,
                    timestamp::seconds(),
                ],
                ComputerRecord::read,
            )
    }

    /// Finds a computer by its id or its instance id.
    pub(crate) fn computer(&self, id: &str) -> Result<Option<ComputerRecord>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT * FROM computers WHERE id = ?1 OR instance_id = ?1")?;
        Ok(statement.query_row([id], ComputerRecord::read).optional()?)
    }

    /// Returns all computers or those of one workspace, oldest first.
    pub(crate) fn computers(&self, workspace_id: Option<&str>) -> Result<Vec<ComputerRecord>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT * FROM computers WHERE ?1 IS NULL OR workspace_id = ?1 ORDER BY created_at, slot",
        )?;
        let rows = statement.query_map([workspace_id], ComputerRecord::read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Sets [`ComputerRecord::should_run`]. Writes to the disk only if the value changes.
    pub(crate) fn set_should_run(&self, id: &str, should_run: bool) -> Result<(), StoreError> {
        self.connection().execute(
            "UPDATE computers SET should_run = ?2 WHERE id = ?1 AND should_run <> ?2",
            params![id, should_run],
        )?;
        Ok(())
    }

    pub(crate) fn delete_computer(&self, id: &str) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM computers WHERE id = ?1", [id])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(workspace_id: &str, name: &str) -> NewComputer {
        NewComputer {
            workspace_id: workspace_id.into(),
            name: name.into(),
            os: "linux".into(),
            ram: 4.0,
            cpu: 0.5,
            gpu: "none".into(),
            disk_size_gb: 8.0,
            resolution: Resolution::default(),
        }
    }

    #[test]
    fn both_ids_find_a_computer_and_its_workspace_is_deletable_only_after_it() {
        let store = Store::in_memory();
        let workspace = store.create_workspace("lab", "active", None).expect("the name is free").id;
        let created = store.create_computer(&spec(&workspace, "one")).expect("the name is free");
        for id in [&created.id, &created.instance_id] {
            assert_eq!(store.computer(id).expect("the database is readable"), Some(created.clone()));
        }
        store.set_should_run(&created.id, false).expect("the database is writable");
        assert!(!store.computers(Some(&workspace)).expect("the database is readable")[0].should_run);
        assert!(!store.delete_workspace(&workspace).expect("the database is writable"));
        store.delete_computer(&created.id).expect("the database is writable");
        assert!(store.delete_workspace(&workspace).expect("the database is writable"));
        assert_eq!(store.computers(None).expect("the database is readable"), []);
    }

    #[test]
    fn an_existing_name_and_a_missing_workspace_are_different_errors() {
        let store = Store::in_memory();
        let workspace = store.create_workspace("lab", "active", None).expect("the name is free").id;
        store.create_computer(&spec(&workspace, "one")).expect("the name is free");
        assert!(matches!(store.create_computer(&spec(&workspace, "one")), Err(StoreError::NameTaken)));
        assert!(matches!(store.create_computer(&spec("none", "two")), Err(StoreError::NoWorkspace)));
    }
}
