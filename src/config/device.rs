//! `[[device]]` and `[[group]]`.

use super::Device;
use super::Group;
use crate::keys::context::Context;
use crate::keys::context::Text;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::source::Place;
use crate::keys::tree::Table;
use crate::keys::value;
use crate::message::check_ident;
use crate::pattern::Pattern;

/// A device, and where its ident stands.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) device: Device,
    pub(super) ident: Place,
}

/// A group, and where it names its devices.
#[derive(Debug)]
pub(super) struct GroupDraft {
    /// With all names that it gives; none if there is a mistake in it.
    pub(super) group: Option<Group>,
    /// The same names, with their places.
    pub(super) devices: Vec<Text>,
}

/// `[[device]]`; none if there is a mistake in it.
pub(super) fn device(context: &Context<'_>, table: &Table) -> Option<Draft> {
    let mut reader = Reader::new(context, table, "device");
    let name = reader.name(NAME_MAX);
    let ident = reader.required("ident", "ident = \"352093081452251\"");
    let ident = ident.and_then(|text| reader.parse(&text, pattern));
    let data = value::parameters(&mut reader, "data");
    let place = reader.value_place("ident");
    let clean = reader.finish();
    let (name, pattern) = (name?, ident?);
    clean.then_some(Draft {
        device: Device {
            name,
            ident: pattern,
            data,
        },
        ident: place,
    })
}

/// `[[group]]`.
pub(super) fn group(context: &Context<'_>, table: &Table) -> GroupDraft {
    let mut reader = Reader::new(context, table, "group");
    let name = reader.name(NAME_MAX);
    if !reader.has("devices") {
        reader.missing("devices", "devices = [\"...\"]");
    }
    let devices = reader.texts("devices").unwrap_or_default();
    let clean = reader.finish();
    let names = devices.iter().map(|text| text.value.clone()).collect();
    let group = name.map(|name| Group {
        name,
        devices: names,
    });
    GroupDraft {
        group: group.filter(|_| clean),
        devices,
    }
}

/// An ident, or a pattern of idents.
pub(super) fn pattern(text: &str) -> Result<Pattern, ValueError> {
    ident(text).map(|ident| Pattern::new(&ident))
}

/// An ident.
pub(super) fn ident(text: &str) -> Result<String, ValueError> {
    check_ident(text).map_err(|invalid| {
        let error = ValueError::new(invalid.to_string());
        let other = text.replace(['#', '+', '/'], "-");
        match check_ident(&other) {
            Ok(_) => error.hint(format!("write `{other}`")),
            Err(_) => error.hint("write it like `352093081452251`"),
        }
    })?;
    Ok(text.to_owned())
}

/// Bytes of the names of devices, groups and channels.
pub(super) const NAME_MAX: usize = 64;
