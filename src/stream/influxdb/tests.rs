use super::*;
use crate::clock::Wall;
use crate::stream::outgoing::with_outgoing;
use crate::stream::settings::Transform;
use Verdict::Configuration;
use Verdict::Doubted;
use Verdict::Later;
use Verdict::Refused;
use Verdict::Taken;
use Version::One;
use Version::Three;
use Version::Two;
use std::time::Duration;

fn influxdb(version: Version) -> Influxdb {
    Influxdb {
        target: Target {
            host: "localhost".into(),
            port: 8086,
        },
        tls: false,
        version,
        path: "/write?db=weir".into(),
        authorization: None,
        measurement: Template::parse("position").unwrap(),
        tags: vec!["ident".into()],
        integers: false,
        gzip: false,
    }
}

/// The line of a message that came at 1700000000.25.
fn line(of: &Influxdb, text: &str) -> String {
    let received = Wall {
        since_1970: Duration::new(1_700_000_000, 250_000_000),
        trusted: true,
    };
    let (transform, mut out) = (Transform::default(), Vec::new());
    let mut view = MessageView::new(&transform);
    let written = with_outgoing(text, received, |message| {
        of.write(&mut view, message, &mut out)
    });
    written.map_or_else(|reason| reason, |()| String::from_utf8(out).unwrap())
}

#[test]
fn a_message_is_a_line_with_its_time_in_nanoseconds() {
    let mut it = influxdb(One);
    let text = r#"{"ident":"a b","timestamp":1700000000.123457,"device.name":"truck 7",
        "din":3,"position.latitude":52.5}"#;
    assert_eq!(
        line(&it, text),
        "position,ident=a\\ b device.name=\"truck 7\",din=3,position.latitude=52.5,\
         server.timestamp=1700000000.25 1700000000123457000"
    );
    it.tags.push("device.name".into());
    it.measurement = Template::parse("fleet {nope:-x}").unwrap();
    it.integers = true;
    assert_eq!(
        line(&it, text),
        "fleet\\ x,ident=a\\ b,device.name=truck\\ 7 din=3i,position.latitude=52.5,\
         server.timestamp=1700000000.25 1700000000123457000"
    );
    assert_eq!(
        line(&it, r#"{"ident":"a"}"#),
        "fleet\\ x,ident=a server.timestamp=1700000000.25 1700000000250000000"
    );
}

#[test]
fn what_cannot_be_a_line_says_why() {
    let mut it = influxdb(One);
    let far = line(&it, r#"{"ident":"a","timestamp":9999999999,"x":1}"#);
    assert!(far.contains("no time"), "{far}");
    it.measurement = Template::parse("{nope}").unwrap();
    let lacks = line(&it, r#"{"ident":"a","x":1}"#);
    assert_eq!(lacks, "template: the message has no `nope`");
}

/// What an answer means, and what the log says behind it.
fn judged(version: Version, status: u16, body: &str) -> (Verdict, String) {
    let it = influxdb(version);
    let answer = Answer {
        status,
        body: body.as_bytes(),
        is_whole: true,
        messages: 3,
    };
    (it.verdict(&answer), it.hint(&answer).unwrap_or_default())
}

/// A status, a body, what they mean, what the log says behind.
type Case = (u16, &'static str, Verdict, &'static str);

/// As 1.6.7 answers, but for the last two.
const ONE: [Case; 12] = [
    (204, "", Taken, ""),
    (
        400,
        r#"{"error":"partial write: field type conflict: input field \"din\" on measurement
                \"p\" is type float, already exists as type integer dropped=1"}"#,
        Refused,
        "first value",
    ),
    (
        400,
        r#"{"error":"partial write: unable to parse 'p': missing fields dropped=0"}"#,
        Refused,
        "",
    ),
    (
        400,
        r#"{"error":"partial write: points beyond retention policy dropped=1"}"#,
        Refused,
        "`max_age`",
    ),
    (
        400,
        r#"{"error":"unable to parse 'database is required x': missing fields"}"#,
        Refused,
        "",
    ),
    (
        400,
        r#"{"error":"database is required"}"#,
        Configuration,
        "`database`",
    ),
    (
        401,
        r#"{"error":"authorization failed"}"#,
        Configuration,
        "`auth`",
    ),
    (
        404,
        r#"{"error":"database not found: \"x\""}"#,
        Configuration,
        "`database`",
    ),
    (404, "404 page not found", Configuration, "`version`"),
    (404, "", Configuration, "`version`"),
    (413, "", Doubted, ""),
    (500, r#"{"error":"timeout"}"#, Later(None), ""),
];

const TWO_AND_THREE: [(Version, Case); 13] = [
    (
        Two,
        (
            500,
            r#"{"code":"internal error","message":"unexpected error writing points to database:
                partial write: field type conflict"}"#,
            Refused,
            "first value",
        ),
    ),
    (
        Two,
        (
            500,
            r#"{"message":"points Outside Retention policy"}"#,
            Refused,
            "`max_age`",
        ),
    ),
    (
        Two,
        (401, r#"{"code":"unauthorized"}"#, Configuration, "`token`"),
    ),
    (
        Two,
        (403, r#"{"code":"forbidden"}"#, Configuration, "may write"),
    ),
    (
        Two,
        (
            404,
            r#"{"message":"bucket \"x\" not found"}"#,
            Configuration,
            "`bucket`",
        ),
    ),
    (
        Two,
        (
            404,
            r#"{"message":"organization name \"x\" not found"}"#,
            Configuration,
            "`org`",
        ),
    ),
    (
        Two,
        (422, r#"{"code":"unprocessable entity"}"#, Refused, ""),
    ),
    (Two, (429, "", Later(None), "")),
    (Two, (503, "", Later(None), "")),
    (
        Three,
        (
            400,
            r#"{"error":"partial write of line protocol occurred","data":[{"line_number":2}]}"#,
            Refused,
            "",
        ),
    ),
    (Three, (201, r#"{"error":"partial write"}"#, Refused, "")),
    (Three, (201, "", Taken, "")),
    (
        Three,
        (
            403,
            r#"{"message":"data outside retention period"}"#,
            Refused,
            "`max_age`",
        ),
    ),
];

fn assert_judged(version: Version, (status, body, verdict, hint): Case) {
    let (found, told) = judged(version, status, body);
    assert_eq!(found, verdict, "{version:?} {status} {body}");
    let fits = told.contains(hint) && hint.is_empty() == told.is_empty();
    assert!(fits, "{version:?} {status} {body}: {told}");
}

#[test]
fn an_answer_means_what_its_text_says() {
    ONE.into_iter().for_each(|case| assert_judged(One, case));
    for (version, case) in TWO_AND_THREE {
        assert_judged(version, case);
    }
}
