//! Delivers uploaded files to computers.

#![expect(
    clippy::disallowed_methods,
    reason = "opens uploads in the data folder, which only the server's account can change"
)]

use std::fs::File;

use crate::agent::FileError;
use crate::files::Contents;
use crate::store::{FileRecord, Store, StoreError};

use super::machine::Machine;

/// The folder in the home that receives uploads. Its name is part of the documented API.
const FOLDER: &str = "Desktop";

#[derive(Debug, thiserror::Error)]
enum DeliveryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Delivers the pending uploads of a computer in the order in which they arrived. Of several uploads with the same
/// name, the last one remains. If the delivery of an upload fails, the upload stays pending, and its record contains
/// the reason.
pub(super) async fn deliver(store: &Store, contents: &Contents, machine: &Machine, computer_id: &str) {
    let waiting = match store.undelivered_files(computer_id) {
        Ok(waiting) => waiting,
        Err(error) => return tracing::error!("cannot read the pending uploads of a computer: {error}"),
    };
    for record in waiting {
        let id = record.file.id.clone();
        if let Err(error) = deliver_one(store, contents, machine, record).await {
            tracing::warn!("upload {id} could not be delivered: {error}");
            if let Err(error) = store.set_delivery_error(&id, &error.to_string()) {
                tracing::error!("cannot record why upload {id} failed: {error}");
            }
        }
    }
}

async fn deliver_one(
    store: &Store,
    contents: &Contents,
    machine: &Machine,
    FileRecord { file, .. }: FileRecord,
) -> Result<(), DeliveryError> {
    let content = File::open(contents.file(&file.id)).map_err(FileError::from)?;
    machine.agent().place_file(content, FOLDER, file.filename).await?;
    Ok(store.set_delivered(&file.id)?)
}
