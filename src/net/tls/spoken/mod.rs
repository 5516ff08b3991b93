//! TLS as this program speaks it, by rustls; its twin for programs without is `absent`.

mod client;
mod error;
mod expiry;
mod files;
mod inspect;
mod server;
mod socket;
mod verify;

pub use client::Client;
pub use error::TlsError;
pub use expiry::expiry;
pub use inspect::Finding;
pub use inspect::inspect_identity;
pub use inspect::inspect_issuers;
pub use server::Server;
pub use socket::TlsSocket;

use super::Identity;
use super::Roots;
use super::ServerTls;
use super::Tls;
