//! `type = "file"`: its keys, and what they make of it.

use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::Open;
use crate::stream::settings::File;
use std::rc::Rc;

/// Its row.
pub(crate) static KIND: Kind = Kind::new("file", |reader| Some(Rc::new(read(reader)?)));

impl Destination for File {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::File(self)
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(super::FileLink::new(self, open.view))
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<File> {
    let path = reader.required("path", "path = \"/var/lib/weir/messages.jsonl\"");
    let path = path.and_then(|text| reader.parse(&text, self::path));
    if let Some(path) = &path {
        let place = reader.value_place("path");
        reader.context().name(Named::Written(path.clone(), place));
    }
    let max_size = reader.size("max_size", 64 << 10..=1 << 40);
    let keep = reader.integer("keep", 0..=1_000);
    if reader.has("keep") && !reader.has("max_size") {
        let hint = "write `max_size = \"16 MiB\"` as well";
        reader.error(
            reader.place_of("keep"),
            "without `max_size` no file is set aside",
            hint,
        );
    }
    let defaults = File::new(path?);
    Some(File {
        max_size,
        keep: keep.unwrap_or(defaults.keep),
        ..defaults
    })
}
