//! What each operator and function gives.

use crate::find;
use crate::value_of;
use weir::filter::Filter;

fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(value_of(text), *expected, "{text}");
    }
}

#[test]
fn arithmetic_is_exact_while_64_bits_hold_the_result() {
    check(&[
        ("1 + 2 * 3 - 4", "3"),
        ("6 / 3", "2"),
        ("7 / 2", "3.5"),
        ("-7 / 2", "-3.5"),
        ("-7 % 3", "-1"),
        ("7.5 % 2", "1.5"),
        ("-din", "-9"),
        ("- -din", "9"),
        ("+position.valid", "1"),
        ("-position.speed", "-60.0"),
        ("most - 1", "18446744073709551614"),
        ("9007199254740993 + 0", "9007199254740993"),
        ("most + 1", "1.8446744073709552e19"),
        ("least - 1", "-9.223372036854776e18"),
        ("most * most", "3.402823669209385e38"),
        ("-least", "9223372036854775808"),
        ("least / -1", "9223372036854775808"),
        ("0.5 + 1", "1.5"),
        ("$missing + true + nothing", "1"),
        ("din / zero", "error: division by zero"),
        ("din % 0.0", "error: division by zero"),
        ("1e308 * din * 10", "error: the result is too large"),
        ("note + 1", "error: `+` does not take text"),
        ("1 - nested", "error: `-` does not take an array or object"),
        ("missing + 1", "error: the message has no `missing`"),
    ]);
}

#[test]
fn bits_are_those_of_twos_complement() {
    check(&[
        ("din & 0x8", "8"),
        ("din | 0x10", "25"),
        ("din ^ 1", "8"),
        ("-1 & 0xff", "255"),
        ("0 ^ -1", "-1"),
        ("position.speed & 4", "4"),
        ("position.valid & 1", "1"),
        ("1 << 63", "9223372036854775808"),
        ("-1 << 63", "-9223372036854775808"),
        ("most >> 60", "15"),
        ("-8 >> 1", "-4"),
        ("most << 1 - zero", "error: the result is too large"),
        ("most ^ least", "error: the result is too large"),
        ("din << 64 + zero", "error: a shift is by 0 to 63 bits"),
        ("din >> -1 - zero", "error: a shift is by 0 to 63 bits"),
        (
            "din & 0.5 + zero",
            "error: bits need numbers without a fraction",
        ),
        ("note | 1", "error: `|` does not take text"),
    ]);
}

#[test]
fn comparisons_follow_numbers_and_bytes() {
    check(&[
        ("din > 8", "true"),
        ("din >= 9", "true"),
        ("din < 9", "false"),
        ("din <= 9", "true"),
        ("most > least", "true"),
        ("most > 18446744073709551614", "true"),
        ("1 < 1.5", "true"),
        ("$missing >= 0", "true"),
        ("'a' < 'b'", "true"),
        ("note >= 'i'", "false"),
        ("note < 1", "error: `<` does not take text"),
        ("nested > 1", "error: `>` does not take an array or object"),
    ]);
}

#[test]
fn equality_knows_kinds_and_stars() {
    check(&[
        ("position.speed == 60", "true"),
        ("position.valid == 1", "true"),
        ("position.valid == true", "true"),
        ("din != 9", "false"),
        ("9007199254740993 == 9007199254740992", "false"),
        ("$missing == null", "true"),
        ("null == nothing", "true"),
        ("zero == null", "false"),
        ("false != null", "true"),
        ("note == 1", "false"),
        ("'1' == 1", "false"),
        ("device.name == '12*45'", "true"),
        ("'12*45' == device.name", "true"),
        ("'12*4' != device.name", "true"),
        ("ident == device.name", "false"),
        ("star == 'x'", "false"),
        ("'a*' == 'abc'", "false"),
        ("ident ~ '*0930*'", "true"),
        ("ident ~ '0930'", "false"),
        ("'*' ~ note", "false"),
        ("din ~ '9'", "error: `~` does not take a number"),
        ("nested == null", "false"),
        ("null != nested", "true"),
        (
            "nested == 1",
            "error: `==` does not take an array or object",
        ),
    ]);
}

#[test]
fn logic_computes_only_what_decides() {
    check(&[
        ("1 && 'a'", "true"),
        ("0 || null", "false"),
        ("zero && missing", "false"),
        ("din || missing", "true"),
        ("din && missing", "error: the message has no `missing`"),
        ("missing || true", "error: the message has no `missing`"),
        ("!din", "false"),
        ("!!note", "true"),
        ("not(nothing)", "true"),
        ("din ? note : missing", "'héllo'"),
        ("zero ? missing : din", "9"),
        ("if(din > 5, 'high', missing)", "'high'"),
        ("if(zero, error(), 2)", "2"),
        ("0 ? 1 : 0 ? 2 : 3", "3"),
        ("1 ? 0 ? 1 : 2 : 3", "2"),
        ("if(1, error(), 2)", "error: `error()` was called"),
    ]);
}

#[test]
fn kinds_can_be_asked_for() {
    check(&[
        ("exists('nothing')", "true"),
        ("exists('nested')", "true"),
        ("exists(\"missing\")", "false"),
        ("isnull($missing)", "true"),
        ("isnull(nested)", "false"),
        ("isnull(missing)", "error: the message has no `missing`"),
        ("isnumber(din)", "true"),
        ("isnumber(position.valid)", "false"),
        ("isstring(ident)", "true"),
        ("isboolean(position.valid)", "true"),
        ("isboolean(1)", "false"),
        ("isjson(nested)", "true"),
        ("nested", "nested"),
        ("tonumber('0x1F')", "31"),
        ("tonumber(' -1.5 ')", "-1.5"),
        ("tonumber(true)", "1"),
        (
            "tonumber(note)",
            "error: `tonumber` of a text that is no number",
        ),
        ("tostring(position.speed)", "'60'"),
        ("tostring(least)", "'-9223372036854775808'"),
        ("tostring(1e300)", "'1e300'"),
        ("tostring(null)", "'null'"),
        ("tostring(position.valid)", "'true'"),
        ("tostring(ident) == ident", "true"),
        (
            "tostring(nested)",
            "error: `tostring` does not take an array or object",
        ),
    ]);
}

#[test]
fn numbers_are_rounded_and_compared() {
    check(&[
        ("abs(-5)", "5"),
        ("abs(least)", "9223372036854775808"),
        ("abs(-1.5)", "1.5"),
        ("abs($missing) >= 0", "true"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("floor(-0.5)", "-1"),
        ("ceil(0.2)", "1"),
        ("floor(1e300)", "1e300"),
        ("round(din)", "9"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 1.5, din)", "9"),
        ("max(1, 2, 3, 4, 5, 6, 7, 8)", "8"),
        ("abs(note)", "error: `abs` does not take text"),
        ("min(1, note)", "error: `min` does not take text"),
    ]);
}

#[test]
fn texts_are_counted_and_cut_in_characters() {
    check(&[
        ("strlen(note)", "5"),
        ("strlen('')", "0"),
        ("strlen(tostring(1000))", "4"),
        ("substr(note, 1)", "'éllo'"),
        ("substr(note, 1, 2)", "'él'"),
        ("substr(note, -4, 1)", "'é'"),
        ("substr(note, -40)", "'héllo'"),
        ("substr(note, 9)", "''"),
        ("substr(note, 2, 99999999999999)", "'llo'"),
        ("substr(tostring(din * 1111), 1, 2)", "'99'"),
        (
            "substr(note, 0, zero - 1)",
            "error: a length is not negative",
        ),
        (
            "substr(note, 0.5)",
            "error: characters are counted without a fraction",
        ),
        ("substr(din, 1)", "error: `substr` does not take a number"),
        ("strlen(din)", "error: `strlen` does not take a number"),
    ]);
}

#[test]
fn a_geofence_is_a_circle_round_a_place() {
    check(&[
        ("geofence(54.8985, 23.9036, 92)", "true"),
        ("geofence(54.8985, 23.9036, 91)", "false"),
        ("geofence(-54.6872, -154.7203, 20016)", "true"),
        ("geofence(position.latitude, position.longitude, 0)", "true"),
        (
            "geofence(din * 11, 0, 1)",
            "error: a latitude is from -90 to 90",
        ),
    ]);
    let filter = Filter::parse("geofence(0, 0, 1) || true").unwrap();
    let error = filter.evaluate(|_| None).unwrap_err();
    assert_eq!(error.to_string(), "the message has no `position.latitude`");
}

#[test]
fn only_zero_false_null_and_errors_do_not_pass() {
    for (text, passes) in [
        ("0", false),
        ("0.0", false),
        ("-0.0", false),
        ("false", false),
        ("null", false),
        ("$missing", false),
        ("missing", false),
        ("!missing", false),
        ("din / zero", false),
        ("1", true),
        ("-0.1", true),
        ("''", true),
        ("nested", true),
        ("position.speed > 0 && exists('position.latitude')", true),
    ] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(filter.passes(find), passes, "{text}");
    }
}
