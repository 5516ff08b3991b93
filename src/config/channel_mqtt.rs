//! `[[channel]]`: the keys of `type = "mqtt"`.

use super::stream_mqtt::mqtt_text;
use crate::channel::mqtt::InvalidTopic;
use crate::channel::mqtt::Settings;
use crate::channel::mqtt::Topic;
use crate::keys::context::Wrong;
use crate::keys::reader::Reader;
use crate::message::json::Names;
use std::rc::Rc;

/// The keys of its own; defaults stand for what is wrong.
pub(super) fn mqtt(reader: &mut Reader<'_>, names: Names) -> Settings {
    let connects = reader.has("connect");
    if connects && !reader.has("topic") {
        reader.missing("topic", "topic = \"trackers/{ident}/up\"");
    }
    let topic = reader.parsed("topic", topic).unwrap_or_default();
    let client_id = reader.parsed("client_id", client_id);
    let username = reader.parsed("username", mqtt_text);
    let password = reader.parsed("password", mqtt_text);
    let users = users(reader);
    let (misplaced, other) = match connects {
        true => (&["users"][..], "listen"),
        false => (&["client_id", "username", "password"][..], "connect"),
    };
    for key in misplaced.iter().filter(|key| reader.has(key)) {
        let message = format!("`{key}` belongs to `{other}`");
        let hint = match connects {
            true => "write `username` and `password` to log in at a broker",
            false => "write `users = { name = \"password\" }` for those who log in here",
        };
        reader.error(reader.place_of(key), message, hint);
    }
    if connects && reader.has("password") && !reader.has("username") {
        let hint = "write `username = \"...\"` as well";
        reader.error(reader.place_of("password"), "a password needs a user", hint);
    }
    Settings {
        names,
        ident: None,
        topic,
        users,
        client_id,
        username,
        password,
        last_of_topics: Rc::default(),
    }
}

/// `users = { name = "password" }`.
fn users(reader: &mut Reader<'_>) -> Vec<(String, String)> {
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
            let wrong = Wrong::new("a user has a name and a password");
            context.wrong(
                &password,
                wrong.hint("write `users = { name = \"password\" }`"),
            );
        }
        Some((entry.key.clone(), password.value))
    });
    pairs.collect()
}

fn topic(text: &str) -> Result<Topic, Wrong> {
    Topic::new(text).map_err(|invalid| {
        let wrong = Wrong::new(invalid.to_string());
        match invalid {
            InvalidTopic::Shared => wrong.hint("leave `$share/` and the group out"),
            _ => wrong.hint("write it like `trackers/{ident}/up`"),
        }
    })
}

/// A broker that is to keep a session needs a name for it.
fn client_id(text: &str) -> Result<String, Wrong> {
    match text.is_empty() {
        true => Err(Wrong::new("a session that is kept needs a name")
            .hint("leave `client_id` out, or write a name that no other client has")),
        false => mqtt_text(text),
    }
}
