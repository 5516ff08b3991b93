//! What a configuration names of the machine it is for; whether it is as it has to be is looked
//! at by whoever checks the configuration as a whole.

use super::source::Place;
use crate::net::Address;
use crate::net::Group;
use crate::net::tls::Identity;
use std::path::PathBuf;

/// Something of this machine that a key names, and where.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Identity {
        identity: Identity,
        certificate: Place,
        key: Place,
    },
    Issuers {
        key: &'static str,
        file: PathBuf,
        place: Place,
    },
    Ring {
        file: PathBuf,
        /// None: as large as fits.
        size: Option<u64>,
        /// Of both.
        places: (Place, Place),
    },
    /// What is listened on.
    Listen(Address, Place),
    /// An interface of CAN that is asked, and what has it asked.
    Asked(String, Place),
    /// Whom a Unix socket is given to.
    Group(Group, Place),
    /// A file that was read.
    Read(PathBuf, Place),
    /// A file that is written to.
    Written(PathBuf, Place),
}
