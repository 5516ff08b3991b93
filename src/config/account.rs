//! A user and what it may do with files, by ids and modes: the one that the shipped unit runs weir
//! as, asked by root, who may do everything; or one that is named.

use rustix::process::geteuid;
use std::fs;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A user and its groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    user: u32,
    groups: Vec<u32>,
}

/// What is to be done with a file or folder, as one digit of its mode has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    Search = 1,
    /// New files in a folder.
    Write = 3,
    Read = 4,
    /// A device: both ways.
    Talk = 6,
}

impl Account {
    /// The daemon's, where root asks and there is one. Under a unit with a user of its own there
    /// is none while it does not run.
    pub(super) fn of_daemon() -> Option<Self> {
        Self::named(NAME).filter(|_| geteuid().is_root())
    }

    /// A user of this machine with all its groups; none where there is no such user.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (users, groups) = (fs::read_to_string(USERS), fs::read_to_string(GROUPS));
        Self::find(name, &users.ok()?, &groups.unwrap_or_default())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_root(&self) -> bool {
        self.user == 0
    }

    /// Whether it may give a file to this group.
    pub(super) fn is_in(&self, group: u32) -> bool {
        self.user == 0 || self.groups.contains(&group)
    }

    /// By name, in the form of `/etc/passwd` and `/etc/group`.
    fn find(name: &str, users: &str, groups: &str) -> Option<Self> {
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let user = users
            .lines()
            .map(fields)
            .find(|user| user.first().is_some_and(|n| n == name))?;
        let mut own = vec![user.get(3)?.parse().ok()?];
        for group in groups.lines().map(fields) {
            let member = group
                .get(3)
                .is_some_and(|all| all.split(',').any(|one| one == name));
            own.extend(
                group
                    .get(2)
                    .filter(|_| member)
                    .and_then(|id| id.parse::<u32>().ok()),
            );
        }
        let user = user.get(2)?.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            user,
            groups: own,
        })
    }

    /// Whether it may do so, by owner, group and mode, and reach it through the folders above.
    pub(super) fn may(&self, right: Right, path: &Path) -> bool {
        let folders = path
            .ancestors()
            .skip(1)
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut found = folders.filter_map(|folder| fs::metadata(folder).ok());
        let reached = found.all(|folder| self.is_let(Right::Search, &folder));
        reached && fs::metadata(path).is_ok_and(|file| self.is_let(right, &file))
    }

    fn is_let(&self, right: Right, file: &Metadata) -> bool {
        let digit = if self.user == file.uid() {
            file.mode() >> 6
        } else if self.groups.contains(&file.gid()) {
            file.mode() >> 3
        } else {
            file.mode()
        };
        self.user == 0 || digit & right as u32 == right as u32
    }
}

/// As the shipped unit names it.
const NAME: &str = "weir";
const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_user_is_found_with_its_groups() {
        let users = "root:x:0:0::/root:/bin/sh\nweir:x:107:112::/:/bin/false\n";
        let groups = "weir:x:112:\ndialout:x:20:ann,weir\nother:x:21:weird\n";
        let expected = Account {
            name: "weir".to_owned(),
            user: 107,
            groups: vec![112, 20],
        };
        assert_eq!(Account::find("weir", users, groups), Some(expected));
        assert_eq!(Account::find("nobody", users, groups), None);
    }

    #[test]
    fn a_file_is_read_by_its_owner_its_group_or_everybody_through_every_folder() {
        let folder = std::env::temp_dir().join(format!("weir-account-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("key");
        fs::write(&file, "").unwrap();
        let (user, group) = fs::metadata(&file).map(|it| (it.uid(), it.gid())).unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let account = |user, group| Account {
            name: "other".to_owned(),
            user,
            groups: vec![group],
        };
        let other = account(user + 1, group + 1);
        let member = account(user + 1, group);
        mode(&folder, 0o755);
        for (bits, by_member, by_other) in [
            (0o600, false, false),
            (0o640, true, false),
            (0o604, false, true),
        ] {
            mode(&file, bits);
            assert_eq!(member.may(Right::Read, &file), by_member, "{bits:o}");
            assert_eq!(other.may(Right::Read, &file), by_other, "{bits:o}");
        }
        mode(&folder, 0o700);
        assert!(!other.may(Right::Read, &file));
        fs::remove_dir_all(&folder).unwrap();
    }
}
