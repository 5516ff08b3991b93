//! Who sent messages, as it is reported.

use serde::Deserialize;
use serde::Serialize;

/// One ident that was heard of since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Who it is.
    pub ident: String,
    /// Of the configured device that it is.
    pub device: Option<String>,
    /// By which it came last.
    pub channel: String,
    /// Of that channel.
    pub protocol: String,
    /// When it was heard of last, in seconds since 1970; none while the clock is wrong.
    pub last_message: Option<f64>,
    /// Seconds since then.
    pub age: f64,
    /// Messages that were taken of it.
    pub count: u64,
    /// The latest position that it told.
    pub position: Option<PositionReport>,
    /// Messages and logins of it that were refused.
    pub refused: u64,
    /// Why the last of these was.
    pub last_refusal: Option<String>,
    /// Its last positions, oldest first: latitude and longitude in degrees, seconds since 1970 or 0
    /// where that is not known. Only where one ident was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub track: Vec<(f64, f64, u32)>,
}

/// Where a device was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PositionReport {
    /// Degrees.
    pub latitude: f64,
    /// Degrees.
    pub longitude: f64,
    /// Metres.
    pub altitude: Option<f64>,
    /// km/h.
    pub speed: Option<f64>,
    /// Degrees from north.
    pub direction: Option<f64>,
    /// When that was, in seconds since 1970, where it is known.
    pub timestamp: Option<u32>,
}

/// Which devices are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Devices<'a> {
    /// This ident, or those that fit the pattern; none: all.
    pub ident: Option<&'a str>,
    /// At most so many, who was heard last first.
    pub count: usize,
}
