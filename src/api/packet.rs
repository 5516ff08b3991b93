//! Raw traffic: what is asked for, and what is shown of it.

use serde::Deserialize;
use serde::Serialize;
use std::num::ParseIntError;

/// Bytes that went one way at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Packet {
    /// Rises from packet to packet, over all channels and streams.
    pub id: u64,
    /// When, since 1970.
    pub timestamp: f64,
    /// Which way.
    #[serde(rename = "type")]
    pub way: Way,
    /// The number of the connection; another one has another, also where it is of the same peer.
    pub conn: u64,
    /// The far end: an address with a port, `unix`, the path of a file or of a serial line.
    pub peer: String,
    /// Who named itself in this connection last, if that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ident: Option<String>,
    /// The bytes as base64, before TLS, `*` in place of each that is of a secret.
    pub data: String,
    /// Bytes that came behind these and are not kept.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub left_out: usize,
}

/// A direction, as this side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// The far end sent it.
    In,
    /// This side did.
    Out,
}

/// Which packets are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketLook {
    /// Only those with a greater id, oldest first; without it the last ones.
    pub after: Option<u64>,
    /// At most so many.
    pub count: usize,
    /// Only those of this connection.
    pub conn: Option<u64>,
    /// Only those of connections in which this ident was named, or one that fits the pattern.
    pub ident: Option<String>,
}

impl PacketLook {
    /// Reads the pairs of a query.
    ///
    /// # Errors
    /// When a number is none.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, ParseIntError> {
        let mut look = Self::default();
        for (key, value) in pairs {
            match key.as_str() {
                "after" => look.after = Some(value.parse()?),
                "count" => look.count = value.parse()?,
                "conn" => look.conn = Some(value.parse()?),
                "ident" => look.ident = Some(value.clone()),
                _ => {}
            }
        }
        Ok(look)
    }
}

impl Default for PacketLook {
    fn default() -> Self {
        Self {
            after: None,
            count: COUNT,
            conn: None,
            ident: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Packets of one answer where nothing is said.
const COUNT: usize = 1000;
