//! The configuration: TOML files to settings, with every mistake at its place.

use crate::pattern::Pattern;
use crate::{channel, ring, stream};
use std::path::PathBuf;

/// All that the files say.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[ring]`.
    pub ring: Ring,
    /// `[log]`.
    pub log: Log,
    /// `[[channel]]`, those without a mistake.
    pub channels: Vec<channel::settings::Settings>,
    /// `[[device]]`, in order.
    pub devices: Vec<Device>,
    /// `[[group]]`.
    pub groups: Vec<Group>,
    /// `[[stream]]`, those without a mistake.
    pub streams: Vec<stream::settings::Settings>,
}

/// `[ring]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Where it is.
    pub file: PathBuf,
    /// None: "auto", at most 64 MiB and a quarter of what is free.
    pub size: Option<u64>,
    /// The rest; its `size` means nothing while `size` above is none.
    pub settings: ring::Settings,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// What is less important is left out.
    pub level: log::LevelFilter,
}

/// `[[device]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Unique among devices.
    pub name: String,
    /// One ident, or many.
    pub ident: Pattern,
    /// `{device.data.NAME}` in templates.
    pub data: Vec<(String, crate::message::Value)>,
}

/// `[[group]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Unique among groups.
    pub name: String,
    /// Names of devices.
    pub devices: Vec<String>,
}
