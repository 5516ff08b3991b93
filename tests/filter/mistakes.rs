//! What is wrong with a text, and where.

use crate::find;
use weir::filter::ERRORS_MAX;
use weir::filter::Filter;
use weir::filter::TEXT_MAX;

/// The text with carets below it, and what they mean.
fn drawn(text: &str) -> Vec<String> {
    let mistakes = Filter::parse(text).expect_err(text);
    let lines = mistakes.into_iter().map(|mistake| {
        let marked = &text[mistake.range.clone()];
        format!("{}:{marked}: {}", mistake.range.start, mistake.message)
    });
    lines.collect()
}

#[test]
fn three_mistakes_have_three_places() {
    let text = "position.speed = 5 && exist('a.b') || substr(note) > 'x";
    let expected = [
        "15:=: `=` is no operator",
        "22:exist: there is no function `exist`",
        "38:substr(note): `substr` takes 2 to 3 arguments, not 1",
        "53:'x: this text is never closed",
    ];
    assert_eq!(drawn(text), expected);
    assert_eq!(
        drawn("(a + ) * 3 b, abs(1, 2"),
        [
            "5:): a value is missing before this",
            "11:b: an operator is missing before this",
            "12:,: `,` stands only between the arguments of a function",
            "14:abs: an operator is missing before this",
            "17:(: this bracket is never closed",
        ]
    );
}

#[test]
fn one_mistake_is_told_once() {
    for (text, expected) in [
        ("", "0:: an expression is missing"),
        ("  ", "2:: an expression is missing"),
        ("a &&", "4:: a value is missing at the end"),
        ("a && && b", "5:&&: a value is missing before this"),
        ("(a", "0:(: this bracket is never closed"),
        ("a)", "1:): this bracket closes nothing"),
        ("()", "1:): a value is missing before this"),
        ("exists('a.b)", "7:'a.b): this text is never closed"),
        ("a == 'it\\z'", "8:\\z: a backslash does not go before this"),
        ("a === 1", "2:===: `===` is no operator"),
        ("a <> 1", "2:<>: `<>` is no operator"),
        ("a and b", "2:and: `and` is no operator"),
        ("a OR b", "2:OR: `or` is no operator"),
        ("not a", "0:not: the arguments of `not` stand in brackets"),
        ("~din", "0:~: `~` needs a text before it"),
        ("a > # b", "4:#: `#` has no meaning here"),
        ("@@ a", "0:@@: `@@` has no meaning here"),
        ("$ > 1", "0:$: a name is missing after `$`"),
        ("12x > 1", "0:12x: `12x` is no number that 64 bits hold"),
        (
            "18446744073709551616",
            "0:18446744073709551616: `18446744073709551616` is no number that 64 bits hold",
        ),
        ("a ? b", "2:?: `?` without its `:`"),
        ("a ? b, c", "2:?: `?` without its `:`"),
        ("a : b", "2::: `:` without its `?`"),
        (
            "exists(a.b)",
            "0:exists(a.b): `exists` takes a name in quotes",
        ),
        ("exists()", "0:exists(): `exists` takes 1 argument, not 0"),
        ("if(a, b)", "0:if(a, b): `if` takes 3 arguments, not 2"),
        (
            "if(1,2,3,4)",
            "0:if(1,2,3,4): `if` takes 3 arguments, not 4",
        ),
        ("error(1)", "0:error(1): `error` takes no argument, not 1"),
        ("min(a)", "0:min(a): `min` takes 2 to 8 arguments, not 1"),
        ("abs(1,)", "6:): a value is missing before this"),
        ("1 / 0 + a", "0:1 / 0: division by zero"),
        ("a && 'b' * 2", "5:'b' * 2: `*` does not take text"),
        ("-'b'", "0:-'b': `-` does not take text"),
        (
            "geofence(95, 0, 1)",
            "0:geofence(95, 0, 1): a latitude is from -90 to 90",
        ),
    ] {
        let drawn = drawn(text);
        let first = drawn.first().map(String::as_str);
        assert_eq!(first, Some(expected), "{text}");
        let follow = ["a ? b, c", "a : b"].contains(&text);
        assert_eq!(drawn.len() == 1, !follow, "{text}: {drawn:?}");
    }
}

#[test]
fn hints_say_what_to_write() {
    for (text, expected) in [
        ("a = 1", "write `==`"),
        ("Exists('a')", "did you mean `exists`?"),
        ("is_null(a)", "did you mean `isnull`?"),
        ("abs(1, 2)", "write `abs(x)`"),
        ("a or b", "write `||`"),
        ("\"a", "end it with \""),
    ] {
        let mistakes = Filter::parse(text).expect_err(text);
        assert_eq!(mistakes[0].hint.as_deref(), Some(expected), "{text}");
    }
    let mistakes = Filter::parse("sqrt(2)").unwrap_err();
    let hint = mistakes[0].hint.as_deref().unwrap();
    assert!(hint.starts_with("there are abs, ceil"), "{hint}");
}

#[test]
fn nesting_length_and_mistakes_have_bounds() {
    let deep = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&deep(60)).is_ok());
    assert_eq!(drawn(&deep(64)), ["64:1: this is nested too deeply"]);
    assert_eq!(drawn(&deep(10_000)).len(), 1);
    let right = |levels: usize| format!("{}1{}", "1+(".repeat(levels), ")".repeat(levels));
    assert_eq!(crate::value_of(&right(30)), "31");
    assert!(Filter::parse(&right(32)).is_err());
    let wide = format!("min({})", ["1"; 40].join(","));
    assert!(Filter::parse(&wide).is_err());
    assert_eq!(drawn(&"a b ".repeat(1_000)).len(), ERRORS_MAX);
    assert_eq!(drawn(&"# a ".repeat(1_000)).len(), ERRORS_MAX);
    assert_eq!(
        Filter::parse(&" ".repeat(TEXT_MAX + 1)).unwrap_err().len(),
        1
    );
}

/// Pieces from which a noise that goes deep is made.
const PIECES: [&str; 44] = [
    "a",
    "$b",
    "missing",
    "'x*'",
    "\"",
    "'",
    "\\",
    "1",
    "0x",
    "1.5e",
    "9e999",
    "-1",
    "true",
    "null",
    "(",
    ")",
    "(",
    ")",
    ",",
    "?",
    ":",
    "!",
    "~",
    "==",
    "=",
    "<<",
    ">>",
    "&&",
    "||",
    "&",
    "|",
    "^",
    "+",
    "-",
    "*",
    "/",
    "%",
    "exists(",
    "if(",
    "substr(",
    "geofence(",
    "max(",
    "é",
    " ",
];

#[test]
fn noise_never_panics() {
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let mut good = 0;
    for round in 0..60_000 {
        let text: String = match round % 2 {
            0 => (0..next(12)).map(|_| PIECES[next(PIECES.len())]).collect(),
            _ => {
                let bytes: Vec<u8> = (0..next(40)).map(|_| next(256) as u8).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        match Filter::parse(&text) {
            Ok(filter) => {
                good += 1;
                let _ = filter.passes(find);
            }
            Err(mistakes) => {
                assert!(
                    !mistakes.is_empty() && mistakes.len() <= ERRORS_MAX,
                    "{text}"
                );
                for mistake in mistakes {
                    assert!(
                        text.get(mistake.range.clone()).is_some(),
                        "{text} {mistake:?}"
                    );
                }
            }
        }
    }
    assert!(
        good > 500,
        "{good}: the noise is too noisy to show anything"
    );
}
