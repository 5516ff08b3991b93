//! `[[channel]]`: the keys of `type = "wialon-ips"`.

use super::context::Wrong;
use super::reader::Reader;
use std::rc::Rc;

/// The password that devices log in with, if any. A datagram has none.
pub(super) fn password(reader: &mut Reader<'_>) -> Option<Rc<str>> {
    let password = reader.parsed("password", word);
    if password.is_some() {
        let listen = reader.texts("listen").unwrap_or_default();
        if listen.iter().any(|text| text.value.starts_with("udp:")) {
            reader.error(
                reader.place_of("password"),
                "over UDP nobody is asked for a password",
                "listen on UDP in a channel without one",
            );
        }
    }
    password
}

fn word(text: &str) -> Result<Rc<str>, Wrong> {
    let is_word = !text.is_empty() && !text.contains([';', '#', '\r', '\n']);
    match text {
        "NA" => Err(Wrong::new("`NA` is what devices without a password send")),
        text if is_word => Ok(text.into()),
        _ => Err(Wrong::new("not a password of a device").hint("write one without `;` and `#`")),
    }
}
