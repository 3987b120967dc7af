//! Creates new homes, which contain folders and the settings of the desktop.

use std::io;

use crate::untrusted::Folder;

/// The folders of a new home.
const FOLDERS: &[&str] = &["Desktop", "Documents", "Downloads"];

macro_rules! skeleton {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../assets/skeleton/", $path)).as_slice())),*]
    };
}

/// The files of a new home, as pairs of path and content.
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
    ".profile",
    ".themes/Orgo/openbox-3/themerc",
];

/// The name of the home in its computer's folder.
pub(super) const HOME_NAME: &str = "home";
/// The name of the home until the home is complete. After an interruption, no incomplete home has the final name.
const UNFINISHED: &str = "home.new";

/// Creates the home in its computer's folder. An existing home belongs to the user and is not changed.
pub(super) fn create_home(computer: &Folder, owner: Option<u32>) -> io::Result<()> {
    match computer.open_child(HOME_NAME) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    computer.remove(UNFINISHED)?;
    let home = computer.create(UNFINISHED, owner)?;
    for folder in FOLDERS {
        home.create(folder, owner)?;
    }
    for (path, content) in FILES {
        write(&home, path, content, owner)?;
    }
    computer.rename(UNFINISHED, HOME_NAME)
}

/// Writes a file, and creates the folders above it.
fn write(folder: &Folder, path: &str, content: &[u8], owner: Option<u32>) -> io::Result<()> {
    let Some((first, rest)) = path.split_once('/') else { return folder.write(path, content, owner) };
    let inner = match folder.create(first, owner) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => folder.open_child(first),
        made => made,
    };
    write(&inner?, rest, content, owner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_existing_home_is_not_changed() {
        let parent = tempfile::tempdir().expect("the tests may write to /tmp");
        let computer = Folder::open(parent.path()).expect("it exists");
        let home = parent.path().join(HOME_NAME);
        fs::create_dir_all(parent.path().join("home.new/half")).expect("the folder is writable");
        create_home(&computer, None).expect("the folder can be created");
        assert!(home.join("Desktop").is_dir() && !home.join("half").exists());
        fs::write(home.join(".config/tint2/tint2rc"), "mine").expect("the file is writable");
        create_home(&computer, None).expect("the home exists");
        assert_eq!(fs::read(home.join(".config/tint2/tint2rc")).expect("it exists"), b"mine");
        assert!(!parent.path().join("home.new").exists());
    }
}
