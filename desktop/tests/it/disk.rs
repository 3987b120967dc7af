//! A disk that is soon full.

use std::process::Command;

use tempfile::TempDir;

/// A small file system of its own, unmounted on drop.
pub(crate) struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this process may not mount.
    pub(crate) fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("the tests may write to /tmp");
        let size = format!("size={megabytes}m,mode=711");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder.path()).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self(folder))
    }

    /// A new folder on it.
    pub(crate) fn folder(&self) -> TempDir {
        tempfile::tempdir_in(self.0.path()).expect("there is room for it")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a failed test's server may still hold it.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}
