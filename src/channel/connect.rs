//! `connect`: where weir goes to get what a channel brings.

use crate::keys::address;
use crate::keys::context::ValueError;
use crate::net::Target;
use crate::net::tls::Tls;

/// A source that weir connects to.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// Where it is.
    pub target: Target,
    /// None: without TLS.
    pub tls: Option<Tls>,
    /// Of a URL.
    pub user: Option<String>,
    /// Of a URL.
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
