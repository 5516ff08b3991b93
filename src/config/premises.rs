//! What the configuration names of this machine, and whether it is as it has to be: certificates
//! and keys, folders, free space. Looks, and changes nothing.

use super::account::Account;
use super::account::Right;
use super::watched::Watched;
use crate::keys::context::Context;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::named::Named;
use crate::keys::source::Place;
use crate::net::Address;
use crate::net::Group;
use crate::net::bus::Bus;
use crate::net::bus::is_listen_only;
use crate::net::tls::Finding;
use crate::net::tls::inspect_identity;
use crate::net::tls::inspect_issuers;
use crate::units::Size;
use rustix::fs::Access;
use rustix::fs::access;
use rustix::fs::statfs;
use rustix::fs::statvfs;
use rustix::process::geteuid;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Notes what is wrong with all that is named.
pub(super) fn look(context: &Context<'_>, user: Option<AsUser<'_>>) {
    let is_named = user.is_some();
    let files = user.as_ref().map(|user| user.machine.files());
    let account = user.map(|user| user.account).or_else(Account::of_daemon);
    let premises = Premises {
        context,
        account,
        is_named,
    };
    // what was read to be replaced in strings has no place of its own
    for file in files.into_iter().flatten() {
        premises.readable(&file, Place::file(0));
    }
    for named in context.named() {
        match named {
            Named::Identity {
                identity,
                certificate,
                key,
            } => {
                for found in inspect_identity(&identity) {
                    let place = if found.key == "key" { key } else { certificate };
                    premises.tell(&found, place);
                }
                premises.readable(&identity.certificate, certificate);
                premises.readable(&identity.key, key);
            }
            Named::Issuers { key, file, place } => {
                for found in inspect_issuers(key, &file) {
                    premises.tell(&found, place);
                }
                premises.readable(&file, place);
            }
            Named::Ring { file, size, places } => {
                premises.writable(&file, places.0);
                premises.in_memory(&file, places.0);
                if let Some(size) = size {
                    premises.fits(&file, size, places.1);
                }
            }
            Named::Listen(Address::Bus(bus), place) => premises.heard(&bus, place),
            Named::Asked(interface, place) => premises.speaks(&interface, place),
            Named::Listen(address, place) if is_named => premises.bindable(&address, place),
            Named::Group(group, place) => premises.in_group(&group, place),
            Named::Listen(..) => {}
            Named::Read(file, place) => premises.readable(&file, place),
            Named::Written(file, place) => premises.writable(&file, place),
        }
    }
}

/// Whose rights are looked at, and what was read to know what the configuration says.
pub(super) struct AsUser<'a> {
    pub(super) account: Account,
    pub(super) machine: &'a Watched<'a>,
}

struct Premises<'a> {
    context: &'a Context<'a>,
    account: Option<Account>,
    /// Whether somebody has named it: then it is this one that counts, not who asks.
    is_named: bool,
}

impl Premises<'_> {
    fn error(&self, place: Place, message: String, hint: &str) {
        self.context
            .note(DiagnosticAt::error(place, message).hint(hint));
    }

    /// What is denied to who asks need not be denied to the daemon, unless root asks.
    fn tell(&self, found: &Finding, place: Place) {
        let denied = found.message.ends_with("permission denied") && !geteuid().is_root();
        let message = found.message.clone();
        let diagnostic = match denied {
            true => DiagnosticAt::warning(place, message),
            false => DiagnosticAt::error(place, message),
        };
        let hint = match denied {
            true => "run `weir check` as the user who runs weir, or as root",
            false => found.hint,
        };
        self.context.note(diagnostic.hint(hint));
    }

    /// Notes a file that the daemon may not read.
    fn readable(&self, file: &Path, place: Place) {
        let account = self.account.as_ref().filter(|_| file.exists());
        let Some(account) = account.filter(|account| !account.may(Right::Read, file)) else {
            return;
        };
        let name = account.name();
        let message = match place == Place::file(0) {
            true => format!("the user `{name}` may not read `{}`", file.display()),
            false => format!("the user `{name}` may not read this file"),
        };
        let hint = "for instance `chgrp weir FILE; chmod 640 FILE`, and `chmod 755` above it";
        self.error(place, message, hint);
    }

    /// Notes an address that a named user may not listen on.
    fn bindable(&self, address: &Address, place: Place) {
        let Some(account) = self.account.as_ref().filter(|account| !account.is_root()) else {
            return;
        };
        let name = account.name();
        match address {
            // systemd makes this one when the unit starts
            Address::Unix(path) if path.parent() == Some(Path::new(RUN_FOLDER)) => {}
            Address::Unix(path) => self.writable(path, place),
            Address::Tcp(socket) | Address::Udp(socket) if socket.port() < first_free_port() => {
                let message = format!("the user `{name}` may not listen on this port");
                let hint = "take one from 1024 on, or give the unit the right to: \
                            `AmbientCapabilities=` and `CapabilityBoundingSet=`, both \
                            CAP_NET_BIND_SERVICE";
                self.context
                    .note(DiagnosticAt::warning(place, message).hint(hint));
            }
            Address::Serial(line)
                if line.path.exists() && !account.may(Right::Talk, &line.path) =>
            {
                let message = format!("the user `{name}` may not use this device");
                let hint = format!("make it one of the device's group: `adduser {name} dialout`");
                self.error(place, message, &hint);
            }
            Address::Tcp(_) | Address::Udp(_) | Address::Serial(_) | Address::Bus(_) => {}
        }
    }

    /// Notes a bus that is not there, or none.
    fn heard(&self, bus: &Bus, place: Place) {
        let warn = |message: String, hint: &str| {
            let diagnostic = DiagnosticAt::warning(place, message);
            self.context.note(diagnostic.hint(hint));
        };
        let path = match bus {
            Bus::Interface(name) => {
                let of = |what| std::fs::read_to_string(format!("/sys/class/net/{name}/{what}"));
                let Ok(kind) = of("type") else {
                    let message = format!("there is no interface `{name}`");
                    return warn(message, "it is looked for every 3 s; `ip link` lists them");
                };
                if kind.trim() != ARPHRD_CAN {
                    let hint = "write that of the bus: `connect = \"can:can0\"`";
                    return self.error(place, format!("`{name}` is no CAN interface"), hint);
                }
                if of("operstate").is_ok_and(|state| state.trim() == "down") {
                    let hint = "for instance `ip link set can0 up type can bitrate 250000`";
                    warn(format!("the interface `{name}` is down"), hint);
                }
                return;
            }
            Bus::Socket(path) | Bus::Log(path) => path,
        };
        match path.exists() {
            true => self.readable(path, place),
            false => {
                let message = format!("there is no `{}`", path.display());
                warn(message, "it is looked for every 3 s");
            }
        }
    }

    /// Notes an interface of CAN on which nothing can be said.
    fn speaks(&self, interface: &str, place: Place) {
        let index = std::fs::read_to_string(format!("/sys/class/net/{interface}/ifindex"));
        let index = index.ok().and_then(|index| index.trim().parse().ok());
        if index.is_some_and(|index| is_listen_only(index).unwrap_or(false)) {
            let message = format!("`{interface}` is listen-only: nothing can be asked there");
            let hint = "set it up without `listen-only`, or have nothing asked";
            let diagnostic = DiagnosticAt::warning(place, message);
            self.context.note(diagnostic.hint(hint));
        }
    }

    /// Notes a group that the daemon cannot give its socket to.
    fn in_group(&self, group: &Group, place: Place) {
        let Some(account) = self.account.as_ref().filter(|it| !it.is_in(group.id)) else {
            return;
        };
        let (name, group) = (account.name(), &group.name);
        let message = format!("the user `{name}` is not in the group `{group}`");
        let hint =
            format!("`adduser {name} {group}`, or `SupplementaryGroups={group}` in the unit");
        let diagnostic = DiagnosticAt::warning(place, message);
        self.context.note(diagnostic.hint(hint));
    }

    /// Notes a file that cannot be made or written.
    fn writable(&self, file: &Path, place: Place) {
        let folder = folder(file);
        if file.is_dir() {
            let message = "this is a folder, not a file".to_owned();
            return self.error(place, message, "name a file in it");
        }
        // systemd makes this one when the unit starts
        if folder == Path::new(STATE_FOLDER) && !folder.exists() {
            return;
        }
        let base = existing(folder);
        let name = base.display();
        if !base.is_dir() {
            let message = format!("`{name}` is not a folder");
            return self.error(place, message, "name a file in a folder");
        }
        let denied = match access(base, Access::WRITE_OK | Access::EXEC_OK) {
            Err(error) if error == rustix::io::Errno::ROFS => {
                let message = format!("the file system of `{name}` is read-only");
                return self.error(place, message, "name a file on one that can be written");
            }
            // nothing is known of the daemon but that it is another
            Err(_) if !geteuid().is_root() && !self.is_named => {
                let message = format!("you may not write into `{name}`");
                let hint = "run `weir check` as the user who runs weir, or as root";
                return self
                    .context
                    .note(DiagnosticAt::warning(place, message).hint(hint));
            }
            Err(_) => !self.is_named,
            Ok(()) => false,
        };
        let account = self.account.as_ref();
        if denied || account.is_some_and(|account| !account.may(Right::Write, base)) {
            let who = match account.filter(|_| self.is_named) {
                Some(account) => format!("the user `{}`", account.name()),
                None => "the user who runs weir".to_owned(),
            };
            let message = format!("{who} may not write into `{name}`");
            self.error(
                place,
                message,
                "make a folder for it: `install -d -o weir FOLDER`",
            );
        }
    }

    /// Warns of a ring that a power cut empties.
    fn in_memory(&self, file: &Path, place: Place) {
        let base = existing(folder(file));
        let kind = statfs(base).map(|found| i128::from(found.f_type));
        if kind.is_ok_and(|kind| IN_MEMORY.contains(&kind)) {
            let message = format!(
                "`{}` is in memory: a power cut empties this ring",
                base.display()
            );
            let hint = "name a file on a disk or on flash: `file = \"/var/lib/weir/ring\"`";
            self.context
                .note(DiagnosticAt::warning(place, message).hint(hint));
        }
    }

    /// Notes a ring for which there is no room.
    fn fits(&self, file: &Path, size: u64, place: Place) {
        let base = existing(folder(file));
        let Ok(found) = statvfs(base) else {
            return;
        };
        let total = found.f_blocks.saturating_mul(found.f_frsize);
        let own = file
            .metadata()
            .map_or(0, |found| found.blocks().saturating_mul(512));
        let free = found
            .f_bavail
            .saturating_mul(found.f_frsize)
            .saturating_add(own);
        let hint = "write less, or `size = \"auto\"`";
        if size > total {
            let total = Size(total);
            let message = format!("the disk of `{}` has only {total}", base.display());
            self.error(place, message, hint);
        } else if size > free {
            let message = format!("only {} are free in `{}`", Size(free), base.display());
            self.context
                .note(DiagnosticAt::warning(place, message).hint(hint));
        }
    }
}

/// Where a file lies.
fn folder(file: &Path) -> &Path {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// A folder, or the one above it in which it would be made.
fn existing(folder: &Path) -> &Path {
    folder
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"))
}

/// The first port that everybody may listen on.
fn first_free_port() -> u16 {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    first
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1024)
}

/// The type of CAN interfaces.
const ARPHRD_CAN: &str = "280";

/// The unit's `RuntimeDirectory=`.
const RUN_FOLDER: &str = "/run/weir";

/// The unit's `StateDirectory=`.
const STATE_FOLDER: &str = "/var/lib/weir";

/// tmpfs and ramfs: `TMPFS_MAGIC`, `RAMFS_MAGIC`.
const IN_MEMORY: [i128; 2] = [0x0102_1994, 0x8584_58f6];
