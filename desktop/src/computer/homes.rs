//! Manages the homes of all computers in the data folder.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::privileges::is_reachable;
use crate::untrusted::Folder;

use super::isolation::Isolation;
use super::skeleton::{self, HOME_NAME};
use super::users::Users;

/// The parent folder of all homes. It contains one folder per computer, which is named after the ID of the computer and
/// contains the home. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Homes {
    path: PathBuf,
    folder: Arc<Folder>,
    users: Users,
    isolation: Isolation,
}

/// The home of one computer.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) path: PathBuf,
    /// The host user ID that owns the home; `None` for the user of the server.
    pub(super) owner: Option<u32>,
}

impl Homes {
    /// Opens the parent folder at `path`, which only the server may be able to change.
    pub(crate) fn open(path: PathBuf, users: Users, isolation: Isolation) -> io::Result<Self> {
        let folder = Arc::new(Folder::open(&path)?);
        Ok(Self { path, folder, users, isolation })
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Creates the home of a computer if it does not exist. Gives access to the computer's user and to no other
    /// account.
    pub(super) fn prepare(&self, id: &str, slot: u32) -> io::Result<Home> {
        let owner = self.owner(id, slot)?;
        let computer = self.folder.create_traversable(id, owner)?;
        skeleton::create_home(&computer, owner)?;
        Ok(Home { path: self.path.join(id).join(HOME_NAME), owner })
    }

    /// Removes a computer's folder with its home.
    pub(super) fn remove(&self, id: &str) -> io::Result<()> {
        self.folder.remove(id)
    }

    /// Returns the ID of the user that owns the home; `None` for the user of the server.
    ///
    /// A server that runs as root uses a separate user for each computer, since a box that runs as root on the host is
    /// only weakly isolated. An existing home keeps its owner.
    fn owner(&self, id: &str, slot: u32) -> io::Result<Option<u32>> {
        let own = match (self.users, self.isolation) {
            (Users::PerComputer { .. }, _) => self.users.for_slot(slot),
            // Without isolation, the computers of a server that can only use root also run as root. The server has
            // logged a warning about the missing isolation.
            (Users::Shared, _) | (Users::Root, Isolation::None) => None,
            (Users::Root, Isolation::Box) => {
                return Err(io::Error::other(
                    "computers do not run as root, and this server's user namespace has no other users: \
                     run the server as another user, or map more users",
                ));
            }
        };
        let Some(own) = own else { return Ok(None) };
        let path = self.path.display();
        match self.folder.open_child(id).and_then(|computer| computer.open_child(HOME_NAME)?.owner()) {
            Ok(0) => Err(io::Error::other(format!(
                "the home belongs to root, but computers do not run as root. Change the owner: \
                 chown -R {own}:{own} {path}/{id}/{HOME_NAME}"
            ))),
            Ok(owner) => Ok(Some(owner)),
            Err(_) if is_reachable(&self.path) => Ok(Some(own)),
            Err(_) => Err(io::Error::other(format!(
                "each computer runs as its own user, who cannot traverse the folders above {path}: \
                 set another --data-dir"
            ))),
        }
    }
}
