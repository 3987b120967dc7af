//! Stores the source of a Python program in a temporary file.

#![expect(clippy::disallowed_methods, reason = "runs inside the box, with the rights of the computer's user")]

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Seek as _};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::fcntl_dupfd_cloexec;

/// The maximum number of names to try. The user may have created files with some of them.
const MAX_ATTEMPTS: usize = 1_000;
/// The lowest number for the descriptor of the report. The low numbers stay free, because programs expect that the
/// first file that they open gets number 3.
const MIN_REPORT_FD: RawFd = 100;

/// The source file of a Python program, and the descriptor for its report. The file is removed on drop.
///
/// A sealed memory file under `/proc/self/fd/N` does not work, because Python opens the source again by its path: for
/// the lines of a traceback, for `inspect.getsource` and in the processes that `multiprocessing` spawns.
#[derive(Debug)]
pub(super) struct Script {
    folder: PathBuf,
    report: OwnedFd,
}

impl Script {
    /// The environment variable with the number of the report's descriptor.
    pub(super) const REPORT_VARIABLE: &str = "ORGO_REPORT";

    /// Copies the source from the first of the `passed` descriptors to a new folder in `parent`. Keeps the second
    /// descriptor for the report.
    pub(super) fn receive(parent: &Path, passed: Vec<OwnedFd>) -> io::Result<Self> {
        let [source, report] =
            <[OwnedFd; 2]>::try_from(passed).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let report = fcntl_dupfd_cloexec(report, MIN_REPORT_FD)?;
        let explained = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot write the program to {}: {error}", parent.display()))
        };
        let folder = make_folder(parent).or_else(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                // The folder belongs to the user, who has removed the write permission.
                fs::set_permissions(parent, Permissions::from_mode(0o755))?;
                make_folder(parent)
            }
            _ => Err(error),
        });
        let folder = folder.map_err(explained)?;
        let script = Self { folder, report };
        let mut source = File::from(source);
        source.rewind()?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(script.path());
        file.and_then(|mut file| io::copy(&mut source, &mut file)).map_err(explained)?;
        Ok(script)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("main.py")
    }

    /// Returns the number of the report's descriptor.
    pub(super) fn report(&self) -> RawFd {
        self.report.as_raw_fd()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // Files that the program has added stay: removing a tree of any depth could overflow the agent's stack.
        let _ = fs::remove_file(self.path());
        let _ = fs::remove_dir(&self.folder);
    }
}

fn make_folder(parent: &Path) -> io::Result<PathBuf> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let mut made = Err(io::ErrorKind::AlreadyExists.into());
    for _ in 0..MAX_ATTEMPTS {
        let folder = parent.join(format!("exec-{}", LAST.fetch_add(1, Ordering::Relaxed)));
        made = DirBuilder::new().mode(0o700).create(&folder).map(|()| folder);
        if !matches!(&made, Err(error) if error.kind() == io::ErrorKind::AlreadyExists) {
            break;
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn passed(source: &str) -> Vec<OwnedFd> {
        let mut file = tempfile::tempfile().expect("the tests may write to /tmp");
        file.write_all(source.as_bytes()).expect("there is enough space");
        vec![file.into(), tempfile::tempfile().expect("the tests may write to /tmp").into()]
    }

    #[test]
    fn a_script_exists_until_it_is_dropped() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        for source in ["", "print(1)\n"] {
            let script = Script::receive(parent.path(), passed(source)).expect("the folder is writable");
            assert_eq!(fs::read_to_string(script.path()).expect("it exists"), source);
            assert!(script.report() >= MIN_REPORT_FD);
        }
        assert_eq!(fs::read_dir(parent.path()).expect("it exists").count(), 0);
    }

    #[test]
    fn names_in_use_are_skipped_and_other_files_stay() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let first = Script::receive(parent.path(), passed("")).expect("the folder is writable");
        let number = first.folder.to_string_lossy().rsplit_once('-').map(|(_, number)| number.to_owned());
        let number: u64 = number.and_then(|number| number.parse().ok()).expect("the name has a number");
        // Other tests that run at the same time also use numbers.
        for next in number + 1..number + 50 {
            std::os::unix::fs::symlink("/etc", parent.path().join(format!("exec-{next}")))
                .expect("the folder is writable");
        }
        let second = Script::receive(parent.path(), passed("")).expect("the folder is writable");
        fs::write(second.folder.join("left"), "").expect("the folder is writable");
        let left = second.folder.join("left");
        drop((first, second));
        assert!(left.exists());
    }

    #[test]
    fn a_request_without_descriptors_is_refused() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        assert!(Script::receive(parent.path(), Vec::new()).is_err());
    }
}
