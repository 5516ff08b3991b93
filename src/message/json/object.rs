//! An object as it stands in the text: names and values that were not looked at yet.

use super::PARAMETERS_MAX;
use serde::Deserialize;
use serde::de::Deserializer;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A parameter as it stands in the text.
pub(super) type Entry<'a> = (Cow<'a, str>, &'a RawValue);

/// An object as it stands in the text.
pub(super) struct Object<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// Some were left out.
    pub(super) too_many: bool,
}

/// A JSON text, lent where it has no escapes.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object {
            entries: Vec::new(),
            too_many: false,
        };
        while let Some(Text(name)) = map.next_key()? {
            if object.entries.len() < PARAMETERS_MAX {
                object.entries.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
                object.too_many = true;
            }
        }
        Ok(object)
    }
}

/// A configured name goes before the name that it stands for.
pub(super) fn rename(entries: &mut Vec<Entry<'_>>, from: &str, to: &'static str) {
    if from == to || !entries.iter().any(|(name, _)| name == from) {
        return;
    }
    entries.retain(|(name, _)| name != to);
    for (name, _) in entries.iter_mut().filter(|(name, _)| name == from) {
        *name = Cow::Borrowed(to);
    }
}

/// Of each name the place of the first and the value of the last, in O(n log n): senders choose
/// names.
pub(super) fn last_of_each_name<'a>(entries: &'a [Entry<'a>]) -> Vec<(&'a str, &'a RawValue)> {
    let mut places = BTreeMap::new();
    let mut kept: Vec<(&str, &RawValue)> = Vec::with_capacity(entries.len());
    for (name, raw) in entries {
        let place = *places.entry(name.as_ref()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some((_, value)) => *value = raw,
            None => kept.push((name, raw)),
        }
    }
    kept
}
