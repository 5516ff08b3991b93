//! The row of type `wialon-ips`, and its keys.

use super::Charset;
use super::Tcp;
use super::Udp;
use crate::channel::Session;
use crate::channel::kind::Datagrams;
use crate::channel::kind::Ident;
use crate::channel::kind::Kind;
use crate::channel::kind::Protocol;
use crate::channel::kind::Way;
use crate::keys::context::ValueError;
use crate::keys::phrase::shorten;
use crate::keys::reader::Reader;
use std::rc::Rc;

/// The row of this type.
pub static KIND: Kind = Kind {
    name: "wialon-ips",
    example: "listen = \"0.0.0.0:20332\"",
    ways: &[Way::Tcp, Way::Udp(Datagrams::Whole)],
    ident: Ident::Named,
    read: |reader| {
        let password = password(reader);
        let charset = charset(reader);
        Some(Rc::new(Keys { password, charset }))
    },
};

/// The keys of this type.
#[derive(Debug, PartialEq)]
struct Keys {
    /// Asked for at login.
    password: Option<Rc<str>>,
    /// How text is written.
    charset: Charset,
}

impl Protocol for Keys {
    fn session(self: Rc<Self>, _: &str) -> Option<Box<dyn Session>> {
        let tcp = Tcp::new(self.password.clone());
        Some(Box::new(tcp.with_charset(self.charset)))
    }

    fn datagram_session(self: Rc<Self>) -> Option<Box<dyn Session>> {
        let udp = Udp::new(self.password.as_deref());
        Some(Box::new(udp.with_charset(self.charset)))
    }
}

/// The password that devices log in with, if any. A datagram has none.
fn password(reader: &mut Reader<'_>) -> Option<Rc<str>> {
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
fn charset(reader: &mut Reader<'_>) -> Charset {
    let read = |text: &str| {
        Charset::named(text).ok_or_else(|| {
            let names: Vec<_> = Charset::names().map(|name| format!("`{name}`")).collect();
            let hint = format!("known are {}", names.join(", "));
            ValueError::new(format!("no charset `{}`", shorten(text))).hint(hint)
        })
    };
    reader.parsed("charset", read).unwrap_or_default()
}

fn word(text: &str) -> Result<Rc<str>, ValueError> {
    let is_word = !text.is_empty() && !text.contains([';', '#', '\r', '\n']);
    match text {
        "NA" => Err(ValueError::new(
            "`NA` is what devices without a password send",
        )),
        text if is_word => Ok(text.into()),
        _ => {
            Err(ValueError::new("not a password of a device").hint("write one without `;` and `#`"))
        }
    }
}
