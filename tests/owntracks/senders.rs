//! Who sent a report, and who may.

use crate::Phone;
use crate::answer;
use crate::post;
use crate::served_as;
use crate::support::channel::SILENCE;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use weir::channel::InputError;
use weir::channel::owntracks::IdentFrom;
use weir::channel::owntracks::Keys;

/// A report with this topic and id; an empty one is left out.
fn report(topic: &str, tid: &str) -> String {
    let field = |name: &str, text: &str| match text {
        "" => String::new(),
        text => format!(",\"{name}\":\"{text}\""),
    };
    let (topic, tid) = (field("topic", topic), field("tid", tid));
    format!("{{\"_type\":\"location\",\"lat\":1,\"lon\":2,\"tst\":3{topic}{tid}}}")
}

fn of(ident_from: IdentFrom) -> Phone {
    served_as(Keys {
        ident_from,
        users: Vec::new(),
    })
}

fn login(login: &str) -> String {
    format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(login))
}

/// Target, headers, topic, tid; what comes of them by each word, as `WORDS` has them.
#[rustfmt::skip]
const SENDERS: [([&str; 4], [&str; 4]); 12] = [
    (["/", LIMITS, "owntracks/ann/bus", "17"], ["ann-bus", "bus", "ann", "17"]),
    (["/", LIMITS, "owntracks/ann/bus/event", ""], ["ann-bus", "bus", "ann", ""]),
    (["/", LIMITS, "/owntracks/ann/bus", "17"], ["ann-bus", "bus", "ann", "17"]),
    (["/?u=ann&d=bus", LIMITS, "", "17"], ["jo-van", "van", "jo", "17"]),
    (["/?u=a%20b&d=c%2Fd", "", "", "17"], ["a b-c_d", "c_d", "a b", "17"]),
    (["/?d=bus", "", "", "17"], ["bus", "bus", "", "17"]),
    (["/", "X-Limit-U: jo\r\n", "odd", "17"], ["jo", "", "jo", "17"]),
    (["/", "", "owntracks//", "17"], ["17", "", "", "17"]),
    // joe:x
    (["/", JOE, "", "17"], ["17", "", "joe", "17"]),
    (["/", JOE, "", ""], ["joe", "", "joe", ""]),
    (["/", "", "owntracks/a+b/c#d", " "], ["a_b-c_d", "c_d", "a_b", ""]),
    (["/", "", "", ""], [""; 4]),
];

const LIMITS: &str = "X-Limit-U: jo\r\nX-Limit-D: van\r\n";
const JOE: &str = "Authorization: Basic am9lOng=\r\n";

const WORDS: [IdentFrom; 4] = [
    IdentFrom::UserDevice,
    IdentFrom::Device,
    IdentFrom::User,
    IdentFrom::TrackerId,
];

#[test]
fn the_first_that_says_it_names_the_device() {
    for ([target, headers, topic, tid], idents) in SENDERS {
        for (ident_from, ident) in WORDS.into_iter().zip(idents) {
            let mut phone = of(ident_from);
            let request = post(target, headers, &report(topic, tid));
            let said = phone.send(request.as_bytes());
            if ident.is_empty() {
                assert!(answer(said).starts_with("400 "), "{request}");
                assert_eq!(phone.intake.malformed, [InputError::Ident]);
            } else {
                assert_eq!(said, SILENCE, "{request}");
                assert_eq!(phone.intake.taken[0].ident(), ident, "{request}");
            }
        }
    }
}

#[test]
fn only_who_logs_in_is_served_where_that_is_asked_for() {
    let users = [("jo", "s3cret"), ("ann", "other")];
    let keys = Keys {
        users: users.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
        ..Keys::default()
    };
    let body = report("", "17");
    for wrong in [
        String::new(),
        login("jo:other"),
        login("jo:"),
        login("jo"),
        login(":"),
        login("jo:s3cret "),
        "Authorization: Basic %%%\r\n".to_owned(),
        login("jo:s3cret").replace("Basic", "Bearer"),
    ] {
        let mut phone = served_as(keys.clone());
        let said = phone.send(post("/", &wrong, &body).as_bytes());
        let text = String::from_utf8(said).unwrap();
        assert!(text.starts_with("HTTP/1.1 401 "), "{wrong}: {text}");
        assert!(text.contains("\r\nWWW-Authenticate: Basic realm=\"weir\"\r\n"));
        assert_eq!(phone.intake.malformed, [InputError::Login], "{wrong}");
        assert_eq!(phone.intake.taken, []);
    }
    for right in [
        login("jo:s3cret"),
        login("ann:other").replace("Basic", "basic"),
    ] {
        let mut phone = served_as(keys.clone());
        assert_eq!(phone.send(post("/", &right, &body).as_bytes()), SILENCE);
        assert_eq!(phone.intake.taken.len(), 1);
    }
}

/// Headers, topic, tid of who has logged in as `jo`; what comes of them by each word, as `WORDS`
/// has them; `!` where another user is named.
#[rustfmt::skip]
const LOGGED_IN: [([&str; 3], [&str; 4]); 8] = [
    (["", "owntracks/jo/bus", "17"], ["jo-bus", "bus", "jo", "17"]),
    (["X-Limit-U: jo\r\nX-Limit-D: bus\r\n", "", "17"], ["jo-bus", "bus", "jo", "17"]),
    (["X-Limit-D: bus\r\n", "", "17"], ["jo-bus", "bus", "jo", "17"]),
    (["", "", "ann-van"], ["jo-ann-van", "", "jo", "ann-van"]),
    (["", "", ""], ["jo", "", "jo", ""]),
    (["", "owntracks/ann/van", "17"], ["!", "van", "!", "17"]),
    (["X-Limit-U: ann\r\nX-Limit-D: van\r\n", "", "17"], ["!", "van", "!", "17"]),
    // the topic counts before the headers
    (["X-Limit-U: jo\r\n", "owntracks/joe/van", ""], ["!", "van", "!", ""]),
];

/// By a name that is of somebody else the places of two would be one device's.
#[test]
fn who_logs_in_is_the_user_of_its_idents() {
    for ([headers, topic, tid], idents) in LOGGED_IN {
        for (ident_from, ident) in WORDS.into_iter().zip(idents) {
            let users = [("jo", "s3cret"), ("ann", "other")];
            let mut phone = served_as(Keys {
                users: users.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
                ident_from,
            });
            let headers = login("jo:s3cret") + headers;
            let said = phone.send(post("/", &headers, &report(topic, tid)).as_bytes());
            if matches!(ident, "" | "!") {
                let said = answer(said);
                assert!(said.starts_with("400 "), "{topic} {ident_from:?}");
                assert_eq!(said.contains("another user"), ident == "!", "{said}");
                assert_eq!(phone.intake.malformed, [InputError::Ident]);
            } else {
                assert_eq!(said, SILENCE, "{topic} {ident_from:?}");
                assert_eq!(phone.intake.taken[0].ident(), ident);
            }
        }
    }
}
