//! `orgo-desktop status`: whether a server uses a data folder, and where it is.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::cli::Status;
use crate::data_dir::{DataDirError, User, user_of};

/// The line that `--json` prints.
#[derive(Serialize)]
struct Report {
    running: bool,
    data_dir: PathBuf,
    #[serde(flatten)]
    user: User,
}

pub(crate) fn run(options: &Status) -> Result<(), DataDirError> {
    let (data_dir, user) = user_of(options.data_dir.as_deref())?;
    if options.json {
        let report = Report { running: user.is_some(), data_dir, user: user.unwrap_or_default() };
        println!("{}", serde_json::json!(report));
    } else {
        println!("{}", describe(&data_dir, user.as_ref()));
    }
    Ok(())
}

fn describe(data_dir: &Path, user: Option<&User>) -> String {
    let folder = data_dir.display();
    match user {
        None => format!("No server uses {folder}."),
        Some(User { pid, base_url: Some(url), .. }) => {
            format!("A server uses {folder}: process {}, at {url}.", pid.unwrap_or_default())
        }
        Some(_) => format!("A server that uses {folder} is starting or stopping."),
    }
}
