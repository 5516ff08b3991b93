//! Who may connect to a Unix socket.

use rustix::fs::Gid;
use rustix::fs::chown;
use std::fs::Permissions;
use std::fs::set_permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The mode of a Unix socket, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketRights {
    /// Who may write may connect.
    pub mode: u32,
    /// None: the daemon's own.
    pub group: Option<Group>,
}

/// A group of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// As configured.
    pub name: String,
    /// Its number.
    pub id: u32,
}

impl Default for SocketRights {
    /// Whoever is of the daemon's group may connect.
    fn default() -> Self {
        Self {
            mode: 0o660,
            group: None,
        }
    }
}

impl SocketRights {
    /// Gives them to a socket. Where the group is none of the daemon's own it stays closed to that
    /// group, which is said: whoever could connect without it still can.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn give_to(&self, path: &Path) -> io::Result<()> {
        if let Some(Group { name, id }) = &self.group
            && let Err(error) = chown(path, None, Some(Gid::from_raw(*id)))
        {
            log::warn!(
                "unix:{}: the group `{name}` is not let in: {error}; the user who runs weir has to \
                 be one of it",
                path.display()
            );
        }
        set_permissions(path, Permissions::from_mode(self.mode))
    }
}
