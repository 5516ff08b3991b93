//! `users`: who may log in at a channel that listens.

use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use subtle::Choice;
use subtle::ConstantTimeEq as _;

/// `users = { name = "password" }`; empty where everybody may.
pub(super) fn users(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let Some(table) = reader.table("users") else {
        return Vec::new();
    };
    let context = table.context();
    if table.entries().is_empty() {
        let place = reader.value_place("users");
        reader.error(
            place,
            "nobody could log in",
            "leave `users` out to let everybody in",
        );
    }
    let pairs = table.entries().iter().filter_map(|entry| {
        let password = context.text(&entry.node)?;
        if entry.key.is_empty() || password.value.is_empty() {
            let error = ValueError::new("a user has a name and a password");
            context.wrong(
                &password,
                error.hint("write `users = { name = \"password\" }`"),
            );
        }
        Some((entry.key.clone(), password.value))
    });
    pairs.collect()
}

/// Takes as long for a wrong password as for one that is nearly right, and for a name that is
/// unknown as for one that is known.
pub(super) fn knows(users: &[(String, String)], name: &str, password: &str) -> bool {
    let same = |known: &str, given: &str| known.as_bytes().ct_eq(given.as_bytes());
    let found = users
        .iter()
        .fold(Choice::from(0), |found, (known, secret)| {
            found | (same(known, name) & same(secret, password))
        });
    found.into()
}
