//! `[[device]]` and `[[group]]`.

use super::Device;
use super::Group;
use super::context::Context;
use super::context::Text;
use super::context::Wrong;
use super::reader::Reader;
use super::tree::Table;
use super::value;
use crate::message::check_ident;
use crate::pattern::Pattern;

/// A group, and where it names its devices.
#[derive(Debug)]
pub(super) struct GroupDraft {
    /// With all names that it gives.
    pub(super) group: Group,
    /// The same, with their places.
    pub(super) devices: Vec<Text>,
}

/// `[[device]]`; none if there is a mistake in it.
pub(super) fn device(context: &Context<'_>, table: &Table) -> Option<Device> {
    let mut reader = Reader::new(context, table, "device");
    let name = reader.name(NAME_MAX);
    let ident = reader.required("ident", "ident = \"352093081452251\"");
    let ident = ident.and_then(|text| reader.parse(&text, pattern));
    let data = value::parameters(&mut reader, "data");
    let clean = reader.finish();
    let (name, ident) = (name?, ident?);
    clean.then_some(Device { name, ident, data })
}

/// `[[group]]`; none if there is a mistake in it.
pub(super) fn group(context: &Context<'_>, table: &Table) -> Option<GroupDraft> {
    let mut reader = Reader::new(context, table, "group");
    let name = reader.name(NAME_MAX);
    if !reader.has("devices") {
        reader.missing("devices", "devices = [\"...\"]");
    }
    let devices = reader.texts("devices").unwrap_or_default();
    let clean = reader.finish();
    let names = devices.iter().map(|text| text.value.clone()).collect();
    Some(GroupDraft {
        group: Group {
            name: name?,
            devices: names,
        },
        devices,
    })
    .filter(|_| clean)
}

/// An ident, or a pattern of idents.
pub(super) fn pattern(text: &str) -> Result<Pattern, Wrong> {
    check_ident(text).map_err(|invalid| Wrong::new(invalid.to_string()))?;
    Ok(Pattern::new(text))
}

/// An ident.
pub(super) fn ident(text: &str) -> Result<String, Wrong> {
    check_ident(text).map_err(|invalid| Wrong::new(invalid.to_string()))?;
    Ok(text.to_owned())
}

/// Bytes of the names of devices, groups and channels.
pub(super) const NAME_MAX: usize = 64;
