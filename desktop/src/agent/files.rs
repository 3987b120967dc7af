//! Opens files of the home with the rights of the computer's user. Neither a path nor a link gives access to a file
//! that the user cannot read.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::protocol::Refusal;
use crate::computer::HOME;

/// Opens a file in the home for reading.
pub(super) fn open(home: &Path, path: &str) -> Result<File, Refusal> {
    let path = absolute(home, path);
    let resolved = path.canonicalize().map_err(|error| {
        if lexically_resolved(&path).starts_with(home) { refusal(&error) } else { Refusal::OutsideHome }
    })?;
    let home = home.canonicalize().map_err(|error| Refusal::Failed(error.to_string()))?;
    if !resolved.starts_with(home) {
        return Err(Refusal::OutsideHome);
    }
    // Opening a FIFO without a writer must not block.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(resolved)
        .map_err(|error| refusal(&error))?;
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(file),
        _ => Err(Refusal::NotAFile),
    }
}

fn refusal(error: &io::Error) -> Refusal {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        // No file can exist at a path that contains a name that is too long, or a cycle of links.
        Some(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::LOOP) => Refusal::NotFound,
        Some(Errno::ACCESS | Errno::PERM) => Refusal::NotReadable,
        // The path leads to a socket, or to a device without a driver.
        Some(Errno::NXIO | Errno::NODEV) => Refusal::NotAFile,
        _ => Refusal::Failed(error.to_string()),
    }
}

fn absolute(home: &Path, path: &str) -> PathBuf {
    // Clients may write the home as `/home/user`, regardless of its actual path.
    if let Ok(rest) = Path::new(path).strip_prefix(HOME) {
        return home.join(rest);
    }
    match path.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        // `join` with an absolute path ignores the home.
        _ => home.join(path),
    }
}

/// Resolves `.` and `..` without reading the file system, so the function also works for a path that does not exist.
fn lexically_resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

/// The maximum number of names to try for a temporary file.
const MAX_NAMES_TRIED: usize = 16;

/// A temporary file in the home that becomes a file of the user when it is placed. A file that was not placed is
/// removed on drop.
#[derive(Debug)]
pub(super) struct IncomingFile {
    home: PathBuf,
    path: PathBuf,
}

impl IncomingFile {
    /// Creates an empty temporary file, with a name that no program looks for.
    pub(super) fn create(home: &Path) -> Result<(File, Self), Refusal> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let mut failure = None;
        // An existing file with such a name is left over from a computer that was killed, or was created by the user.
        for _ in 0..MAX_NAMES_TRIED {
            let path = home.join(format!(".arriving-{}", LAST.fetch_add(1, Ordering::Relaxed)));
            let _ = fs::remove_file(&path);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Self { home: home.to_owned(), path })),
                Err(error) => failure = Some(error),
            }
        }
        Err(Refusal::Failed(
            failure.map_or_else(String::new, |error| format!("cannot create a file in the home: {error}")),
        ))
    }

    /// Moves the file into a folder of the home, which is created if it does not exist.
    pub(super) fn place(self, folder: &str, name: &str) -> Result<(), Refusal> {
        let path = self.home.join(folder);
        fs::create_dir_all(&path).map_err(|error| match error.kind() {
            // The folder may also be a dangling link.
            io::ErrorKind::AlreadyExists => Refusal::Failed(format!("~/{folder} is not a folder")),
            _ => Refusal::Failed(format!("~/{folder}: {error}")),
        })?;
        fs::rename(&self.path, path.join(name)).map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => {
                Refusal::Failed(format!("~/{folder} contains a folder with that name"))
            }
            io::ErrorKind::CrossesDevices => Refusal::Failed(format!("~/{folder} is outside of the home")),
            _ => Refusal::Failed(format!("~/{folder}: {error}")),
        })
    }
}

impl Drop for IncomingFile {
    fn drop(&mut self) {
        // A file that was placed no longer has this name.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(home: &Path, path: &str) -> Result<String, Refusal> {
        let mut text = String::new();
        open(home, path)?.read_to_string(&mut text).expect("the text is valid UTF-8");
        Ok(text)
    }

    #[test]
    fn paths_in_the_home_are_opened_and_all_others_refused() {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let home = folder.path().join("home");
        fs::create_dir_all(home.join("Desktop")).expect("the folder is writable");
        fs::write(home.join("Desktop/a.txt"), "inside").expect("the folder is writable");
        fs::write(folder.path().join("secret"), "outside").expect("the folder is writable");
        symlink(folder.path().join("secret"), home.join("way-out")).expect("the folder is writable");
        symlink("Desktop/a.txt", home.join("within")).expect("the folder is writable");
        rustix::fs::mkfifoat(rustix::fs::CWD, home.join("pipe"), rustix::fs::Mode::RUSR)
            .expect("the folder is writable");

        let absolute = home.join("Desktop/a.txt");
        let absolute = absolute.to_str().expect("the text is valid UTF-8");
        for path in [
            "Desktop/a.txt",
            "~/Desktop/a.txt",
            "./Desktop/../Desktop/a.txt",
            "within",
            absolute,
            "/home/user/Desktop/a.txt",
        ] {
            assert_eq!(read(&home, path).as_deref(), Ok("inside"), "{path}");
        }
        for path in [
            "../secret",
            "~/../secret",
            "way-out",
            "/etc/passwd",
            "/nowhere",
            "/",
            "../nowhere",
            "/home/user/../secret",
            "/home/user2/a",
        ] {
            assert_eq!(read(&home, path), Err(Refusal::OutsideHome), "{path}");
        }
        for path in ["nowhere", "Desktop/a.txt/b", "~/nowhere"] {
            assert_eq!(read(&home, path), Err(Refusal::NotFound), "{path}");
        }
        for path in ["", "~", "/home/user", "Desktop", "pipe"] {
            assert_eq!(read(&home, path), Err(Refusal::NotAFile), "{path}");
        }
    }

    #[test]
    fn existing_files_do_not_block_an_incoming_file() {
        let home = tempfile::tempdir().expect("the tests may write to /tmp");
        let name = |number: u64| home.path().join(format!(".arriving-{number}"));
        for number in 0..2_000 {
            match number % 3 {
                0 => rustix::fs::mkfifoat(rustix::fs::CWD, name(number), rustix::fs::Mode::RUSR)
                    .expect("the folder is writable"),
                1 => symlink("/dev/full", name(number)).expect("the folder is writable"),
                _ => fs::write(name(number), "old").expect("the folder is writable"),
            }
        }
        let (mut file, incoming) = IncomingFile::create(home.path()).expect("a name is free");
        file.write_all(b"new").expect("there is enough space");
        incoming.place("Desktop", "a.txt").expect("the folder is writable");
        assert_eq!(read(home.path(), "Desktop/a.txt").as_deref(), Ok("new"));
    }

    #[test]
    fn an_incoming_file_replaces_another_and_is_removed_on_drop() {
        let home = tempfile::tempdir().expect("the tests may write to /tmp");
        for content in ["first", "second"] {
            let (mut file, incoming) = IncomingFile::create(home.path()).expect("the folder is writable");
            file.write_all(content.as_bytes()).expect("there is enough space");
            incoming.place("Desktop", "a.txt").expect("the folder is writable");
            assert_eq!(read(home.path(), "Desktop/a.txt").as_deref(), Ok(content));
        }
        drop(IncomingFile::create(home.path()).expect("the folder is writable"));
        assert_eq!(fs::read_dir(home.path()).expect("it exists").count(), 1);
    }
}
