//! What a new home holds: folders, and the settings that make the desktop look as it does.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::path::Path;

/// Folders that a desktop expects.
const FOLDERS: &[&str] = &["Desktop", "Documents", "Downloads"];

macro_rules! skeleton {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../assets/skeleton/", $path)).as_slice())),*]
    };
}

/// Files by their path in the home.
const FILES: &[(&str, &[u8])] = skeleton![
    ".bashrc",
    ".config/gtk-3.0/settings.ini",
    ".config/openbox/menu.xml",
    ".config/openbox/rc.xml",
    ".config/pcmanfm/default/desktop-items-0.conf",
    ".config/pcmanfm/default/pcmanfm.conf",
    ".config/tint2/tint2rc",
    ".config/user-dirs.dirs",
    ".config/xfce4/terminal/terminalrc",
    ".gtkrc-2.0",
    ".local/share/backgrounds/dusk.svg",
    ".themes/Orgo/openbox-3/themerc",
];

/// Makes the home unless it exists; one that exists is the user's and stays as it is.
pub(super) fn furnish(home: &Path, owner: Option<u32>) -> io::Result<()> {
    if home.exists() {
        return Ok(());
    }
    // Under another name until it is whole, so that an interruption leaves no half of one.
    let unfinished = home.with_extension("new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    if let Some(folder) = home.parent() {
        DirBuilder::new().recursive(true).mode(0o711).create(folder)?;
    }
    DirBuilder::new().mode(0o700).create(&unfinished)?;
    for folder in FOLDERS {
        fs::create_dir(unfinished.join(folder))?;
    }
    for (path, content) in FILES {
        let file = unfinished.join(path);
        // Every listed path has a parent: the home at least.
        fs::create_dir_all(file.parent().unwrap_or(&unfinished))?;
        fs::write(file, content)?;
    }
    if let Some(owner) = owner {
        give(&unfinished, owner)?;
    }
    fs::rename(unfinished, home)
}

fn give(path: &Path, owner: u32) -> io::Result<()> {
    chown(path, Some(owner), Some(owner))?;
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), owner)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_made_once_and_then_left_alone() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let home = parent.path().join("computer/home");
        furnish(&home, None).expect("the folder can be made");
        assert!(home.join("Desktop").is_dir());
        fs::write(home.join(".config/tint2/tint2rc"), "mine").expect("the file is ours");
        furnish(&home, None).expect("nothing is left to do");
        assert_eq!(fs::read(home.join(".config/tint2/tint2rc")).expect("it is there"), b"mine");
    }
}
