//! Stores content in the data folder, one file per id.

#![expect(
    clippy::disallowed_methods,
    reason = "works in the data folder, which only the server's account can write to"
)]

use std::collections::{HashSet, VecDeque};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// The maximum number of stored screenshots. Beyond it, each new screenshot replaces the oldest one.
const MAX_SCREENSHOTS: usize = 256;

/// The directories of the stored content.
#[derive(Debug)]
pub(crate) struct Contents {
    files: PathBuf,
    /// The directory of incomplete files. It is on the same file system as `files`, so a complete file moves to `files`
    /// by an atomic rename.
    incoming: PathBuf,
    screenshots: PathBuf,
    /// The names of the stored screenshots, oldest first.
    screenshot_names: Mutex<VecDeque<String>>,
}

impl Contents {
    /// Creates the directories. Also removes the files that a killed server has left: incomplete files, and content
    /// whose record was not yet inserted or was already deleted.
    ///
    /// `recorded` contains the ids of all files in the store.
    pub(crate) fn open(data: &Path, recorded: &HashSet<String>) -> io::Result<Self> {
        let contents = Self {
            files: data.join("files"),
            incoming: data.join("arriving"),
            screenshots: data.join("screenshots"),
            screenshot_names: Mutex::default(),
        };
        for directory in [&contents.incoming, &contents.screenshots] {
            clear(directory)?;
        }
        create_private(&contents.files)?;
        for entry in fs::read_dir(&contents.files)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|id| recorded.contains(id)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(contents)
    }

    /// Returns the path of a file's content.
    pub(crate) fn file(&self, id: &str) -> PathBuf {
        self.files.join(id)
    }

    /// Creates an empty file to receive content.
    pub(crate) fn create(&self) -> io::Result<IncomingFile> {
        let (file, path) = NamedTempFile::new_in(&self.incoming)?.into_parts();
        Ok(IncomingFile { file: file.into(), path, length: 0 })
    }

    /// Removes the content of a file whose record was deleted.
    pub(crate) async fn remove(&self, id: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.file(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Returns the path of a screenshot's content. `name` is a result of [`Self::store_screenshot`].
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        self.screenshots.join(name)
    }

    /// Stores a screenshot that links can point to. Returns the name of the screenshot.
    pub(crate) async fn store_screenshot(&self, image: &[u8], extension: &str) -> io::Result<String> {
        let name = format!("{}.{extension}", Uuid::new_v4());
        tokio::fs::write(self.screenshot(&name), image).await?;
        let oldest = {
            let mut names = self.screenshot_names.lock().unwrap_or_else(PoisonError::into_inner);
            names.push_back(name.clone());
            if names.len() > MAX_SCREENSHOTS { names.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            tokio::fs::remove_file(self.screenshot(&oldest)).await?;
        }
        Ok(name)
    }
}

/// A file that is being received. Dropping it before [`Self::commit`] deletes it.
#[derive(Debug)]
pub(crate) struct IncomingFile {
    file: tokio::fs::File,
    path: TempPath,
    length: u64,
}

impl IncomingFile {
    pub(crate) async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.length += chunk.len() as u64;
        self.file.write_all(chunk).await
    }

    /// Returns the number of bytes written so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Syncs the file and moves it to the path of `id`. The file then survives a power loss.
    pub(crate) async fn commit(mut self, contents: &Contents, id: &str) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let (path, target, directory) = (self.path, contents.file(id), contents.files.clone());
        let moved = tokio::task::spawn_blocking(move || {
            path.persist(target)?;
            File::open(directory)?.sync_all()
        });
        moved.await.map_err(io::Error::other)?
    }
}

fn create_private(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

fn clear(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => create_private(directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opening_removes_incomplete_and_unrecorded_files() {
        let data = tempfile::tempdir().expect("/tmp is writable");
        let contents = Contents::open(data.path(), &HashSet::new()).expect("the directory is writable");
        for id in ["recorded", "lost"] {
            let mut file = contents.create().expect("the directory is writable");
            file.write(b"abc").await.expect("the disk has space");
            assert_eq!(file.length(), 3);
            file.commit(&contents, id).await.expect("the directory is writable");
        }
        let mut incomplete = contents.create().expect("the directory is writable");
        incomplete.write(b"ab").await.expect("the disk has space");
        std::mem::forget(incomplete);

        let recorded = HashSet::from(["recorded".to_owned()]);
        let contents = Contents::open(data.path(), &recorded).expect("the directory is writable");
        assert_eq!(fs::read(contents.file("recorded")).expect("it exists"), b"abc");
        assert!(!contents.file("lost").exists());
        assert_eq!(fs::read_dir(data.path().join("arriving")).expect("it exists").count(), 0);
    }

    #[tokio::test]
    async fn the_oldest_screenshot_is_removed_beyond_the_limit() {
        let data = tempfile::tempdir().expect("/tmp is writable");
        let contents = Contents::open(data.path(), &HashSet::new()).expect("the directory is writable");
        let first = contents.store_screenshot(b"1", "png").await.expect("the disk has space");
        for _ in 0..MAX_SCREENSHOTS {
            contents.store_screenshot(b"2", "png").await.expect("the disk has space");
        }
        assert!(!contents.screenshot(&first).exists());
        let stored = fs::read_dir(data.path().join("screenshots")).expect("it exists").count();
        assert_eq!(stored, MAX_SCREENSHOTS);
    }
}
