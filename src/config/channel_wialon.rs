//! `[[channel]]`: the keys of `type = "wialon-ips"`.

use crate::channel::wialon_ips::Charset;
use crate::keys::context::Wrong;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
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

/// How devices write their text.
pub(super) fn charset(reader: &mut Reader<'_>) -> Charset {
    let read = |text: &str| {
        Charset::named(text).ok_or_else(|| {
            let names: Vec<_> = Charset::names().map(|name| format!("`{name}`")).collect();
            let hint = format!("known are {}", names.join(", "));
            Wrong::new(format!("no charset `{}`", shorten(text))).hint(hint)
        })
    };
    reader.parsed("charset", read).unwrap_or_default()
}

fn word(text: &str) -> Result<Rc<str>, Wrong> {
    let is_word = !text.is_empty() && !text.contains([';', '#', '\r', '\n']);
    match text {
        "NA" => Err(Wrong::new("`NA` is what devices without a password send")),
        text if is_word => Ok(text.into()),
        _ => Err(Wrong::new("not a password of a device").hint("write one without `;` and `#`")),
    }
}
