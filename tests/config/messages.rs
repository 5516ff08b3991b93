//! The keys of what happens to a message between the ring and its destination.

use crate::told::Told;
use crate::told::with;
use weir::pattern::Pattern;
use weir::stream::settings::Settings;

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
    .shape
    .convert;
    let fields = ["position.*", "ident"].map(Pattern::new);
    assert_eq!(convert.fields, Some(fields.into()));
    assert_eq!(convert.drop, [Pattern::new("*.hdop")]);
    assert_eq!(convert.rename, [("din".into(), "inputs".into())]);
    assert_eq!(convert.set[0], ("gateway.name".into(), "gw".into()));
    assert_eq!(convert.set[1], ("n".into(), 5_u64.into()));
    assert_eq!(convert.dots.as_deref(), Some("_"));
    assert!(stream("").shape.convert.is_nothing());
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
