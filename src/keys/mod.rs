//! The mechanism of the configuration: text to values at their places, and tables that are taken
//! key by key. Which tables and keys there are is said where they are used: those of a type stand
//! beside its behaviour, the rest in [`crate::config`].
//!
//! ```text
//!  source ──▶ document ──▶ tree ──▶ reader ◀── context: mistakes so far, `${…}`
//!  text and   TOML, its    values   one table,
//!  places     mistakes,    with     key by key: address, amount, bind, text, thinning, tls, url,
//!             secrets      places   value say what a key may hold
//! ```
//! Every step notes what it finds and goes on with the rest.

pub(crate) mod address;
mod amount;
pub(crate) mod bind;
pub(crate) mod context;
pub(crate) mod diagnostic;
pub(crate) mod document;
pub(crate) mod environment;
pub(crate) mod examples;
pub(crate) mod expand;
pub(crate) mod named;
pub(crate) mod phrase;
pub(crate) mod quoted;
pub(crate) mod reader;
pub(crate) mod same;
pub(crate) mod secrets;
pub(crate) mod socket_rights;
pub(crate) mod source;
mod synonyms;
mod syntax;
pub(crate) mod text;
pub(crate) mod thinning;
pub(crate) mod tls;
pub(crate) mod tree;
pub(crate) mod url;
pub(crate) mod value;
