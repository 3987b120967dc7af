//! Where content lies: one file each, named by its id, under the data folder.

#![expect(
    clippy::disallowed_methods,
    reason = "works in the data folder, which only the server's account can change"
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

/// How many linked screenshots are kept; an older one goes when a new one comes.
const SCREENSHOTS_KEPT: usize = 256;

/// The folders of content.
#[derive(Debug)]
pub(crate) struct Contents {
    files: PathBuf,
    /// On the same file system as `files`, so that what is complete gets there by a change of its name.
    arriving: PathBuf,
    screenshots: PathBuf,
    /// The names of screenshots, the oldest first.
    taken: Mutex<VecDeque<String>>,
}

impl Contents {
    /// Makes the folders, and removes what a server that was killed left: what was still arriving, and content whose
    /// record was about to be written or had just been deleted.
    ///
    /// `recorded` are the ids of the files that there are.
    pub(crate) fn open(data: &Path, recorded: &HashSet<String>) -> io::Result<Self> {
        let contents = Self {
            files: data.join("files"),
            arriving: data.join("arriving"),
            screenshots: data.join("screenshots"),
            taken: Mutex::default(),
        };
        for folder in [&contents.arriving, &contents.screenshots] {
            clear(folder)?;
        }
        private(&contents.files)?;
        for entry in fs::read_dir(&contents.files)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|id| recorded.contains(id)) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(contents)
    }

    /// The content of a file.
    pub(crate) fn file(&self, id: &str) -> PathBuf {
        self.files.join(id)
    }

    /// Begins to take a file in.
    pub(crate) fn arrival(&self) -> io::Result<Arrival> {
        let (file, path) = NamedTempFile::new_in(&self.arriving)?.into_parts();
        Ok(Arrival { file: file.into(), path, length: 0 })
    }

    /// Removes the content of a file whose record has gone.
    pub(crate) async fn remove(&self, id: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.file(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// A screenshot's content; `name` is what [`Self::keep_screenshot`] gave.
    pub(crate) fn screenshot(&self, name: &str) -> PathBuf {
        self.screenshots.join(name)
    }

    /// Keeps a screenshot for those who fetch it by its link, under a new name.
    pub(crate) async fn keep_screenshot(&self, picture: &[u8], extension: &str) -> io::Result<String> {
        let name = format!("{}.{extension}", Uuid::new_v4());
        tokio::fs::write(self.screenshot(&name), picture).await?;
        let surplus = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.push_back(name.clone());
            if taken.len() > SCREENSHOTS_KEPT { taken.pop_front() } else { None }
        };
        if let Some(surplus) = surplus {
            tokio::fs::remove_file(self.screenshot(&surplus)).await?;
        }
        Ok(name)
    }
}

/// A file on its way in. Dropped before [`Self::keep`], nothing of it stays.
#[derive(Debug)]
pub(crate) struct Arrival {
    file: tokio::fs::File,
    path: TempPath,
    length: u64,
}

impl Arrival {
    pub(crate) async fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        self.length += chunk.len() as u64;
        self.file.write_all(chunk).await
    }

    /// Bytes written so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Puts it in the place of `id`, for good: also a loss of power leaves it there.
    pub(crate) async fn keep(mut self, contents: &Contents, id: &str) -> io::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let (path, place, folder) = (self.path, contents.file(id), contents.files.clone());
        let moved = tokio::task::spawn_blocking(move || {
            path.persist(place)?;
            File::open(folder)?.sync_all()
        });
        moved.await.map_err(io::Error::other)?
    }
}

fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => private(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_recorded_stays_at_the_next_start() {
        let data = tempfile::tempdir().expect("the tests may write to /tmp");
        let contents = Contents::open(data.path(), &HashSet::new()).expect("the folder is ours");
        for id in ["recorded", "lost"] {
            let mut arrival = contents.arrival().expect("the folder is ours");
            arrival.write(b"abc").await.expect("there is room");
            assert_eq!(arrival.length(), 3);
            arrival.keep(&contents, id).await.expect("the folder is ours");
        }
        let mut broken = contents.arrival().expect("the folder is ours");
        broken.write(b"ab").await.expect("there is room");
        std::mem::forget(broken);

        let recorded = HashSet::from(["recorded".to_owned()]);
        let contents = Contents::open(data.path(), &recorded).expect("the folder is ours");
        assert_eq!(fs::read(contents.file("recorded")).expect("it is there"), b"abc");
        assert!(!contents.file("lost").exists());
        assert_eq!(fs::read_dir(data.path().join("arriving")).expect("it is there").count(), 0);
    }

    #[tokio::test]
    async fn the_oldest_screenshots_make_room() {
        let data = tempfile::tempdir().expect("the tests may write to /tmp");
        let contents = Contents::open(data.path(), &HashSet::new()).expect("the folder is ours");
        let first = contents.keep_screenshot(b"1", "png").await.expect("there is room");
        for _ in 0..SCREENSHOTS_KEPT {
            contents.keep_screenshot(b"2", "png").await.expect("there is room");
        }
        assert!(!contents.screenshot(&first).exists());
        let kept = fs::read_dir(data.path().join("screenshots")).expect("it is there").count();
        assert_eq!(kept, SCREENSHOTS_KEPT);
    }
}
