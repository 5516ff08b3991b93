//! `mode` and `group`: who may connect to a Unix socket.

use super::context::Context;
use super::context::ValueError;
use super::phrase::shorten;
use super::reader::Reader;
use crate::net::Group;
use crate::net::SocketRights;
use crate::spelling::nearest;
use std::path::Path;

/// Reads both keys, which mean something only where there is such a socket.
pub(crate) fn read(reader: &mut Reader<'_>, is_unix: bool) -> SocketRights {
    let mut rights = SocketRights::default();
    let context = reader.context();
    rights.mode = reader.parsed("mode", mode).unwrap_or(rights.mode);
    rights.group = reader.parsed("group", |name| group(context, name));
    for key in ["mode", "group"] {
        if reader.has(key) && !is_unix {
            let message = format!("`{key}` is of Unix sockets, and there is none");
            let hint = format!("leave `{key}` out, or listen on one: `unix:/run/weir/in`");
            reader.error(reader.place_of(key), message, hint);
        }
    }
    rights
}

/// Octal digits, as `chmod` takes them. The daemon's own user can always connect.
fn mode(text: &str) -> Result<u32, ValueError> {
    let hint = "write it like `mode = \"0660\"`: the owner and the group may connect";
    let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    let mode = u32::from_str_radix(text, 8).ok().filter(|_| is_octal);
    match mode {
        Some(mode) if mode <= 0o777 && mode & 0o600 == 0o600 => Ok(mode),
        Some(_) => Err(ValueError::new(format!(
            "the mode of a socket is from `0600` to `0777`, not `{text}`"
        ))
        .hint(hint)),
        None => Err(ValueError::new(format!("`{}` is not a mode", shorten(text))).hint(hint)),
    }
}

/// A group of this machine by its name, or any by its number.
fn group(context: &Context<'_>, name: &str) -> Result<Group, ValueError> {
    if let Ok(id) = name.parse() {
        let name = name.to_owned();
        return Ok(Group { name, id });
    }
    let groups = context.environment.read(Path::new(GROUPS), GROUPS_MAX);
    let groups = groups.unwrap_or_default();
    let groups = String::from_utf8_lossy(&groups);
    let known: Vec<(&str, u32)> = groups.lines().filter_map(entry).collect();
    match known.iter().find(|(known, _)| *known == name) {
        Some((name, id)) => Ok(Group {
            name: (*name).to_owned(),
            id: *id,
        }),
        None => {
            let error = ValueError::new(format!("there is no group `{}` here", shorten(name)));
            Err(match nearest(name, known.iter().map(|(name, _)| *name)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => {
                    error.hint("write `group = \"weir\"`, the daemon's own, or make that group")
                }
            })
        }
    }
}

/// The name and the number in a line of `/etc/group`.
fn entry(line: &str) -> Option<(&str, u32)> {
    let mut fields = line.split(':');
    let (name, id) = (fields.next()?, fields.nth(1)?);
    Some((name, id.parse().ok()?))
}

/// The groups of this machine.
const GROUPS: &str = "/etc/group";

/// Bytes of it at most.
const GROUPS_MAX: usize = 1 << 20;
