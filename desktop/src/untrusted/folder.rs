//! Safe operations on folders that a computer's user can change, and on the parents of such folders.

#![expect(
    clippy::disallowed_methods,
    reason = "the only module for this: relative to descriptors, one name at a time, without following links"
)]

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, Mode, OFlags, RawMode, RenameFlags, chmod, fchmod, fchown, fstat, mkdirat, openat,
    renameat_with, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

/// The permissions that an owner needs to list and change a folder.
const OWNER: RawMode = 0o700;

/// The maximum number of subfolders to collect before they are emptied.
const BATCH: usize = 256;

/// An open folder. The methods access each entry by a single name, and never follow links.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder at `path`. No user of a computer may be able to change the names in `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(openat(CWD, path, open_flags(), Mode::empty())?))
    }

    /// Opens a subfolder. Restores the permissions that its owner needs to list and change it.
    pub(crate) fn open_child(&self, name: &str) -> io::Result<Self> {
        self.open_repaired(&single_name(name)?)
    }

    /// Returns the user ID of the owner.
    pub(crate) fn owner(&self) -> io::Result<u32> {
        Ok(fstat(&self.0)?.st_uid)
    }

    /// Creates a subfolder that only its owner can access.
    pub(crate) fn create(&self, name: &str, owner: Option<u32>) -> io::Result<Self> {
        mkdirat(&self.0, single_name(name)?, Mode::RWXU)?;
        let made = self.open_child(name)?;
        if let Some(owner) = owner {
            fchown(&made.0, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
        }
        Ok(made)
    }

    /// Creates a subfolder in which every user can create files, but can remove only files that they own.
    pub(crate) fn create_sticky(&self, name: &str) -> io::Result<()> {
        let name = single_name(name)?;
        mkdirat(&self.0, &name, Mode::RWXU)?;
        // Set separately, since the umask applies to the mode of a new folder.
        Ok(fchmod(&self.open_name_unchanged(&name)?.0, Mode::from_raw_mode(0o1777))?)
    }

    /// Opens a subfolder that may belong to another user, without changing it.
    pub(crate) fn open_unchanged(&self, name: &str) -> io::Result<Self> {
        self.open_name_unchanged(&single_name(name)?)
    }

    fn open_name_unchanged(&self, name: &CStr) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, open_flags(), Mode::empty())?))
    }

    /// Returns whether there is an entry with this name, of any type.
    pub(crate) fn has(&self, name: &str) -> bool {
        single_name(name).is_ok_and(|name| statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
    }

    /// Creates a subfolder that belongs to the server and that members of `group` can traverse. The subfolder may
    /// already exist.
    pub(crate) fn create_traversable(&self, name: &str, group: Option<u32>) -> io::Result<Self> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let made = self.open_child(name)?;
        if let Some(group) = group {
            fchown(&made.0, None, Some(Gid::from_raw(group)))?;
        }
        fchmod(&made.0, if group.is_some() { Mode::RWXU | Mode::XGRP } else { Mode::RWXU })?;
        Ok(made)
    }

    /// Creates a file with this content.
    pub(crate) fn write(&self, name: &str, content: &[u8], owner: Option<u32>) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, single_name(name)?, flags, Mode::from_raw_mode(0o644))?);
        file.write_all(content)?;
        if let Some(owner) = owner {
            fchown(&file, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
        }
        Ok(())
    }

    /// Renames an entry. Fails if there is an entry named `to`.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat_with(&self.0, single_name(from)?, &self.0, single_name(to)?, RenameFlags::NOREPLACE)?)
    }

    /// Restores the permissions that the owner needs to list and change the folder.
    fn open_to_owner(&self) -> io::Result<()> {
        let mode = fstat(&self.0)?.st_mode;
        if mode & OWNER != OWNER {
            // Uses the path of the descriptor: `fchmod` does not accept an `O_PATH` descriptor, and the folder's own
            // path may lead to another folder by now.
            let own_path = format!("/proc/self/fd/{}", self.0.as_raw_fd());
            chmod(own_path, Mode::from_raw_mode(mode | OWNER))?;
        }
        Ok(())
    }

    /// Removes an entry, and the content of a folder. Supports folders of any depth, and follows no links.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let name = single_name(name)?;
        if self.remove_leaf(&name)? {
            return Ok(());
        }
        let folder = self.open_repaired(&name)?;
        folder.remove_contents()?;
        Ok(unlinkat(&self.0, &name, AtFlags::REMOVEDIR)?)
    }

    /// Removes all entries of this folder.
    ///
    /// Moves the subfolders of subfolders up into this folder before they are emptied. Therefore a deep tree needs no
    /// deep stack, long paths or additional descriptors, and a wide tree needs little memory.
    fn remove_contents(&self) -> io::Result<()> {
        let mut moved = 0;
        loop {
            let mut progress = false;
            let mut left = Vec::new();
            for entry in Dir::read_from(self.0.as_fd())? {
                let name = entry?.file_name().to_owned();
                if is_dot_entry(&name) {
                    continue;
                }
                if self.remove_leaf(&name)? {
                    progress = true;
                } else {
                    left.push(name);
                }
                if left.len() == BATCH {
                    break;
                }
            }
            if left.is_empty() && !progress {
                return Ok(());
            }
            for name in left {
                progress |= self.flatten_child(&name, &mut moved)?;
            }
            if !progress {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
        }
    }

    /// Removes the subfolder `name`: removes the files and empty folders in it, and moves the other folders in it up
    /// into this folder. Returns whether this made any progress.
    fn flatten_child(&self, name: &CStr, moved: &mut u64) -> io::Result<bool> {
        let folder = match self.open_repaired(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            entered => entered?,
        };
        let mut progress = false;
        for entry in Dir::read_from(folder.0.as_fd())? {
            let inner = entry?.file_name().to_owned();
            if is_dot_entry(&inner) {
                continue;
            }
            progress = true;
            if folder.remove_leaf(&inner)? {
                continue;
            }
            // Moving a folder requires write permission for it.
            folder.open_repaired(&inner)?;
            loop {
                *moved += 1;
                let place = CString::new(format!(".removed-{moved}")).expect("the name has no NUL");
                match renameat_with(&folder.0, &inner, &self.0, &place, RenameFlags::NOREPLACE) {
                    Err(Errno::EXIST) => {}
                    renamed => break renamed?,
                }
            }
        }
        Ok(self.remove_leaf(name)? || progress)
    }

    /// Removes a file, a link or an empty folder. Returns `false` if it is a folder that is not empty.
    fn remove_leaf(&self, name: &CStr) -> io::Result<bool> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(true),
            // The error for a folder depends on the file system.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(error.into()),
        }
        match unlinkat(&self.0, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            // The kernel may be unable to check whether the folder is empty, because of the folder's permissions.
            Err(Errno::ACCESS) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a subfolder, and restores the permissions that its owner needs to list and change it.
    fn open_repaired(&self, name: &CStr) -> io::Result<Self> {
        match openat(&self.0, name, open_flags(), Mode::empty()) {
            Ok(folder) => {
                let folder = Self(folder);
                folder.open_to_owner()?;
                Ok(folder)
            }
            Err(Errno::ACCESS) => {
                // `O_PATH` requires no permissions for the folder itself.
                let closed = Self(openat(&self.0, name, open_flags() | OFlags::PATH, Mode::empty())?);
                closed.open_to_owner()?;
                Ok(Self(openat(&self.0, name, open_flags(), Mode::empty())?))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn open_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn is_dot_entry(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// Checks that a name is a single path component, which cannot lead out of a folder.
fn single_name(name: &str) -> io::Result<CString> {
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    CString::new(name).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let opened = Folder::open(parent.path()).expect("it exists");
        (parent, opened)
    }

    #[test]
    fn a_tree_of_any_depth_is_removed() {
        let (parent, opened) = folder();
        let mut below = opened.create("home", None).expect("the folder is writable");
        for _ in 0..60_000 {
            mkdirat(&below.0, "d", Mode::RWXU).expect("there is enough space");
            below = below.open_child("d").expect("it was created");
        }
        drop(below);
        opened.remove("home").expect("removal succeeds");
        assert_eq!(fs::read_dir(parent.path()).expect("it exists").count(), 0);
    }

    #[test]
    fn a_wide_tree_with_closed_folders_and_odd_names_is_removed() {
        let (parent, opened) = folder();
        let home = parent.path().join("home");
        for wide in 0..50 {
            let inner = home.join(format!("{wide}/a/.removed-{wide}"));
            fs::create_dir_all(&inner).expect("the folder is writable");
            fs::write(inner.join("x\ny"), "text").expect("the folder is writable");
            fs::set_permissions(&inner, fs::Permissions::from_mode(0o0)).expect("the tests own it");
        }
        fs::set_permissions(&home, fs::Permissions::from_mode(0o400)).expect("the tests own it");
        opened.remove("home").expect("removal succeeds");
        assert!(!home.exists());
        assert!(opened.remove("home").is_ok(), "removing a missing entry succeeds");
    }

    #[test]
    fn links_are_removed_and_not_followed() {
        let (parent, opened) = folder();
        let outside = tempfile::tempdir().expect("the tests may write to /tmp");
        fs::write(outside.path().join("kept"), "text").expect("the folder is writable");
        fs::create_dir_all(parent.path().join("home/in")).expect("the folder is writable");
        symlink(outside.path(), parent.path().join("home/link")).expect("the folder is writable");
        symlink(outside.path(), parent.path().join("home/in/link")).expect("the folder is writable");
        opened.remove("home").expect("removal succeeds");
        symlink(outside.path(), parent.path().join("home")).expect("the folder is writable");
        assert!(opened.open_child("home").is_err());
        opened.remove("home").expect("the link can be removed");
        assert!(outside.path().join("kept").exists());
        assert!(!parent.path().join("home").exists());
    }

    #[test]
    fn a_name_with_several_components_is_refused() {
        let (_parent, opened) = folder();
        for name in ["", ".", "..", "a/b", "/", "a\0b"] {
            assert!(opened.open_child(name).is_err() && opened.remove(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn opening_a_folder_restores_the_permissions_of_its_owner() {
        let (parent, opened) = folder();
        opened.create("home", None).expect("the folder is writable");
        let home = parent.path().join("home");
        fs::set_permissions(&home, fs::Permissions::from_mode(0o001)).expect("the tests own it");
        opened.open_child("home").expect("the tests own it");
        assert_eq!(fs::metadata(home).expect("it exists").mode() & 0o777, 0o701);
    }
}
