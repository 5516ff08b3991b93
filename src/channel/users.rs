//! `users`: who may log in at a channel that listens.

use crate::keys::context::ValueError;
use crate::keys::reader::Reader;

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
