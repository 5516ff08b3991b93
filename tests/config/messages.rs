//! The keys of what happens to a message between the ring and its destination.

use crate::told::Told;
use crate::told::with;
use std::time::Duration;
use weir::message::ValueRef;
use weir::pattern::Pattern;
use weir::stream::settings::Settings;
use weir::stream::settings::Stamp;
use weir::stream::settings::StampOf;

/// A stream with these lines.
fn stream(lines: &str) -> Settings {
    Told::new(with("", lines)).right().streams.remove(0)
}

/// What is said of these lines of a stream, without where and how it looks.
fn said(lines: &str) -> Vec<String> {
    let found = Told::new(with("", lines)).load().diagnostics;
    found.into_iter().map(|found| found.message).collect()
}

#[test]
fn a_conversion_is_read() {
    let convert = stream(
        "convert = { fields = ['position.*', 'ident'], drop = '*.hdop', dots = '_', \
         rename = { din = 'inputs' }, set = { 'gateway.name' = 'gw', n = 5 } }\n",
    )
    .transform
    .convert;
    let fields = ["position.*", "ident"].map(Pattern::new);
    assert_eq!(convert.fields, Some(fields.into()));
    assert_eq!(convert.drop, [Pattern::new("*.hdop")]);
    assert_eq!(convert.rename, [("din".into(), "inputs".into())]);
    assert_eq!(convert.set[0], ("gateway.name".into(), "gw".into()));
    assert_eq!(convert.set[1], ("n".into(), 5_u64.into()));
    assert_eq!(convert.dots.as_deref(), Some("_"));
    assert!(stream("").transform.convert.is_nothing());
}

#[test]
fn mistakes_of_a_conversion_are_told() {
    let twice = said("convert = { rename = { a = 'x', b = 'x' }, filds = ['a'] }\n");
    let expected = ["two parameters are renamed to `x`", "unknown key `filds`"];
    assert_eq!(twice, expected);
    let empty = said("convert = { fields = [''], dots = 'more than a few' }\n");
    let dots = "`dots` has at most 8 bytes and no control characters";
    assert_eq!(empty, ["not the name of a parameter", dots]);
}

#[test]
fn thinning_and_the_rate_are_read() {
    let lines = "every = '10s'\nor_change = ['din.*']\n";
    let expected = weir::thinning::Settings {
        every: Duration::from_secs(10),
        or_change: vec![Pattern::new("din.*")],
    };
    assert_eq!(stream(lines).thinning.as_ref(), Some(&expected));
    let channel = Told::new(with(lines, "")).right().channels.remove(0);
    assert_eq!(channel.thinning, Some(expected));
    assert_eq!(stream("every = '0s'\n").thinning, None);
    let interval = |lines| stream(lines).interval;
    assert_eq!(interval("rate = 4\n"), Some(Duration::from_millis(250)));
    assert_eq!(interval("rate = 0.5\n"), Some(Duration::from_secs(2)));
    assert_eq!(interval(""), None);
    let message = "`rate` is from 0.001 to 100000 messages a second";
    assert_eq!(said("rate = 0\n"), [message]);
    let message = "without `every` all messages pass";
    assert_eq!(said("or_change = 'din'\n"), [message]);
}

#[test]
fn a_stamp_is_read_and_streams_know_the_devices() {
    let stamp = stream("stamp = { name = 'id', of = 'content' }\n")
        .transform
        .stamp;
    let expected = |of| Stamp {
        name: "id".into(),
        of,
    };
    assert_eq!(stamp, Some(expected(StampOf::Content)));
    let lines = "stamp = { name = 'id' }\n\
                 [[device]]\nname = 'd'\nident = '3*'\ndata = { wialon_uid = '77' }\n";
    let transform = stream(lines).transform;
    assert_eq!(transform.stamp, Some(expected(StampOf::Record)));
    assert_eq!(
        transform.data("35", "wialon_uid"),
        Some(ValueRef::Text("77"))
    );
    assert_eq!(transform.data("4", "wialon_uid"), None);
    let unknown = "unknown `of` `both`";
    assert_eq!(said("stamp = { name = 'id', of = 'both' }\n"), [unknown]);
}

#[test]
fn a_file_for_rejects_is_read() {
    let rejects = stream("rejects = { file = '/r', size = '1 MiB' }\n").rejects;
    let rejects = rejects.unwrap();
    assert_eq!((rejects.file, rejects.size), ("/r".into(), 1 << 20));
    let message = "this rejects has no `file`";
    assert_eq!(said("rejects = { size = '1 MiB' }\n"), [message]);
}
