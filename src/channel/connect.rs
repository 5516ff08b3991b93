//! `connect`: where weir goes to get what a channel brings.

use crate::keys::address;
use crate::keys::context::ValueError;
use crate::net::Target;
use crate::net::tls::Tls;

/// A source that weir connects to.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// Host and port.
    pub target: Target,
    /// How TLS is spoken; none: without it.
    pub tls: Option<Tls>,
    /// Who logs in, where `connect` is a URL that says so.
    pub user: Option<String>,
    /// The password of `user`; a secret.
    pub password: Option<String>,
}

impl Connect {
    /// `"host:port"`, without TLS unless there is a `tls`.
    pub(crate) fn read(text: &str) -> Result<Self, ValueError> {
        if text.starts_with("serial:") || text.starts_with("/dev/") {
            let error = ValueError::new("a serial line is not connected to");
            return Err(error.hint("write `listen = \"serial:/dev/ttyUSB0?baud=9600\"`"));
        }
        Ok(Self {
            target: address::target(text)?,
            tls: None,
            user: None,
            password: None,
        })
    }
}
