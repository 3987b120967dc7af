//! `orgo-desktop status`: shows whether a server uses a data folder, and its address.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::Status;
use crate::data_dir::{DataDirError, LockHolder, lock_holder};

/// The line of JSON that `--json` prints.
#[derive(Serialize)]
struct Report {
    running: bool,
    data_dir: PathBuf,
    #[serde(flatten)]
    holder: LockHolder,
}

pub(crate) fn run(options: &Status) -> Result<(), DataDirError> {
    let (data_dir, holder) = lock_holder(options.data_dir.as_deref())?;
    if options.json {
        let report = Report { running: holder.is_some(), data_dir, holder: holder.unwrap_or_default() };
        println!("{}", serde_json::json!(report));
    } else {
        println!("{}", describe(&data_dir, holder.as_ref()));
    }
    Ok(())
}

fn describe(data_dir: &Path, holder: Option<&LockHolder>) -> String {
    let folder = data_dir.display();
    match holder {
        None => format!("No server uses {folder}."),
        Some(LockHolder { pid, base_url: Some(url), .. }) => {
            format!("A server uses {folder}: process {}, at {url}.", pid.unwrap_or_default())
        }
        Some(_) => format!("A server that uses {folder} is starting or stopping."),
    }
}
