//! A toy platform on HTTP, against a server that a test plays: bodies that are no array, answers
//! that count by their body, logins that end, requests that follow one another.

use crate::http::SECOND;
use crate::http::is_paused;
use crate::talk::Talk;
use crate::talk::lose;
use crate::world::World;
use crate::world::delivery;
use crate::world::number;
use std::cell::Cell;
use std::time::Duration;
use weir::clock::Now;
use weir::net::Target;
use weir::stream::Disconnect;
use weir::stream::Endpoint;
use weir::stream::NetworkEndpoint;
use weir::stream::Open;
use weir::stream::Retry;
use weir::stream::TlsUse;
use weir::stream::engine::Outgoing;
use weir::stream::http::HttpLink;
use weir::stream::http::profile::Answer;
use weir::stream::http::profile::Frame;
use weir::stream::http::profile::Login;
use weir::stream::http::profile::Profile;
use weir::stream::http::profile::Verdict;
use weir::stream::render::MessageView;
use weir::stream::settings::Delivery;
use weir::stream::settings::Transform;

/// It takes lines, and says in words what it thinks of them.
#[derive(Debug)]
pub(crate) struct Toy {
    target: Target,
    frame: Frame,
    method: &'static str,
    /// How long a login holds; none: for ever.
    life: Option<Duration>,
    logins: Cell<u32>,
    pub(crate) delivery: Delivery,
    transform: Transform,
}

impl Profile for Toy {
    fn frame(&self) -> Frame {
        self.frame
    }

    fn method(&self) -> &str {
        self.method
    }

    fn path(
        &self,
        _view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        out.push_str("/write");
        if self.method == "GET" {
            out.push_str(&format!("?n={}", number(message)));
        }
        Ok(())
    }

    fn write(
        &self,
        _view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        if self.method != "GET" {
            let pad = "x".repeat(usize::try_from(number(message)).unwrap());
            out.extend_from_slice(format!("n={}{pad}", number(message)).as_bytes());
        }
        Ok(())
    }

    fn authorize(&self, now: Now) -> Login {
        self.logins.set(self.logins.get() + 1);
        Login {
            authorization: Some(format!("Toy {}", self.logins.get())),
            until: self.life.map(|life| now.wall.since_1970 + life),
        }
    }

    fn needs_body(&self, _status: u16) -> bool {
        true
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        let text = str::from_utf8(answer.body).unwrap();
        match (answer.status, text) {
            (200, "all") => Verdict::Taken,
            (200, "some") if answer.messages == 4 => Verdict::TakenBut {
                refused: vec![1, 9],
                later: vec![2],
            },
            (200, _) => Verdict::Later(Some(77 * SECOND)),
            (status, _) => Verdict::usual(status),
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        (answer.status == 401).then(|| "look at `token`".to_owned())
    }
}

pub(crate) fn toy(frame: Frame) -> Toy {
    Toy {
        target: Target {
            host: "toy.example".into(),
            port: 80,
        },
        frame,
        method: "POST",
        life: None,
        logins: Cell::new(0),
        delivery: delivery(),
        transform: Transform::default(),
    }
}

pub(crate) fn connect<'a>(toy: &'a Toy, world: &World) -> Talk<'a> {
    let server = NetworkEndpoint {
        needs_date: toy.life.is_some(),
        ..NetworkEndpoint::new(&toy.target, TlsUse::by_scheme(false, "https://"))
    };
    let open = Open {
        endpoint: Endpoint::Network(server),
        view: MessageView::new(&toy.transform),
        delivery: &toy.delivery,
        epoch: world.engine.epoch(),
        now: world.now,
        client_id: "",
    };
    Talk::over(Box::new(HttpLink::new(toy, open)))
}

pub(crate) fn says(status: u16, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Length: {len}\r\n\r\n{body}").into_bytes()
}

pub(crate) fn sent(talk: &mut Talk<'_>, world: &mut World) -> String {
    String::from_utf8(talk.sent(world).unwrap()).unwrap()
}

/// How many requests a text has, and who asks in each.
fn askers(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("authorization: "));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_body_need_be_no_array_and_what_is_too_long_is_refused_here() {
    let frame = Frame {
        open: "<",
        between: "|",
        close: ">",
        message_max: 6,
        messages_max: 3,
        ..Frame::LINES
    };
    let (toy, mut world) = (toy(frame), World::new());
    world.append_many(6);
    let mut talk = connect(&toy, &world);
    let first = sent(&mut talk, &mut world);
    assert!(
        first.ends_with("content-length: 16\r\n\r\n<n=0|n=1x|n=2xx>"),
        "{first}"
    );
    assert!(first.contains("content-type: text/plain; charset=utf-8\r\n"));
    assert!(first.contains("host: toy.example\r\n"));
    talk.hears(&mut world, &says(200, "all")).unwrap();
    let second = sent(&mut talk, &mut world);
    assert!(second.ends_with("<n=3xxx>"), "{second}");
    talk.hears(&mut world, &says(200, "all")).unwrap();
    let counters = world.counters();
    assert_eq!(
        (counters.accepted, counters.given_up, counters.backlog),
        (4, 2, 0)
    );
    let told = format!("{:?}", world.events());
    assert!(
        told.contains("a message of 7 bytes, the destination takes at most 6"),
        "{told}"
    );
}

#[test]
fn a_platform_may_take_all_but_some() {
    let (toy, mut world) = (toy(Frame::LINES), World::new());
    world.append_many(4);
    let mut talk = connect(&toy, &world);
    sent(&mut talk, &mut world);
    talk.hears(&mut world, &says(200, "some")).unwrap();
    let counters = world.counters();
    assert_eq!(
        (counters.accepted, counters.given_up, counters.backlog),
        (1, 1, 2),
        "closed prefix"
    );
    assert!(is_paused(&world), "one is for later");
    world.wait();
    let again = sent(&mut talk, &mut world);
    assert!(again.ends_with("\r\n\r\nn=2xx\n"), "{again}");
    talk.hears(&mut world, &says(200, "all")).unwrap();
    let counters = world.counters();
    assert_eq!(
        (counters.accepted, counters.given_up, counters.backlog),
        (3, 1, 0)
    );
}

#[test]
fn what_is_taken_between_keeps_the_blame_from_the_destination() {
    let mut world = World::new();
    world.append_many(40);
    let batch = world
        .engine
        .next_batch(world.now, |_| weir::stream::engine::Fit::Taken)
        .unwrap();
    let refused: Vec<_> = batch.iter().copied().step_by(2).collect();
    let error = weir::stream::DeliveryError::new(400, "no");
    world
        .engine
        .taken_but(0, &batch, (&refused, &[]), &error, world.now, 0);
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (20, 20));
}

#[test]
fn an_answer_whose_body_does_not_come_counts_as_the_platform_says() {
    let (toy, mut world) = (toy(Frame::LINES), World::new());
    world.append_many(4);
    let mut talk = connect(&toy, &world);
    sent(&mut talk, &mut world);
    let whole = says(200, "some");
    talk.hears(&mut world, &whole[..whole.len() - 2]).unwrap();
    assert_eq!(world.counters().backlog, 4);
    assert_eq!(talk.closes(&mut world).retry, Retry::AtOnce);
    assert_eq!(world.counters().backlog, 4);
    let until = world.engine.paused_until(world.now).unwrap();
    assert_eq!(until - world.now.mono, 77 * SECOND);
}

#[test]
fn a_login_is_made_anew_before_it_ends_and_after_it_was_blamed() {
    let (mut toy, mut world) = (toy(Frame::LINES), World::new());
    toy.life = Some(100 * SECOND);
    let mut talk = connect(&toy, &world);
    let mut ask = |world: &mut World, status| {
        world.append_many(1);
        world.wait();
        let text = sent(&mut talk, world);
        talk.hears(world, &says(status, "all")).unwrap();
        askers(&text)
    };
    assert_eq!(ask(&mut world, 200), ["Toy 1"]);
    world.pass(79 * SECOND);
    assert_eq!(ask(&mut world, 200), ["Toy 1"]);
    world.pass(SECOND);
    assert_eq!(ask(&mut world, 200), ["Toy 2"], "a fifth of it is left");
    assert_eq!(ask(&mut world, 401), ["Toy 2"]);
    let told = format!("{:?}", world.events());
    assert!(told.contains("look at `token`"), "{told}");
    assert_eq!(ask(&mut world, 200), ["Toy 3"]);
}

#[test]
fn without_a_date_nothing_is_signed_and_nothing_sent() {
    let (mut toy, mut world) = (toy(Frame::LINES), World::new());
    toy.life = Some(100 * SECOND);
    world.append_many(1);
    world.now.wall.trusted = false;
    let mut talk = connect(&toy, &world);
    let disconnect: Disconnect = talk.sent(&mut world).unwrap_err();
    assert!(
        disconnect.error.reason.contains("the date"),
        "{disconnect:?}"
    );
    assert_eq!(toy.logins.get(), 0);
    lose(&mut world, &disconnect);
    assert_eq!(world.counters().backlog, 1);
    world.now.wall.trusted = true;
    let mut talk = connect(&toy, &world);
    assert_eq!(askers(&sent(&mut talk, &mut world)), ["Toy 1"]);
}

/// One message a request, three on their way.
fn in_a_row() -> Toy {
    let mut toy = toy(Frame {
        in_flight_max: 3,
        ..Frame::NOTHING
    });
    toy.method = "GET";
    toy
}

fn asked(text: &str) -> Vec<&str> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("GET /write?n="));
    lines
        .filter_map(|line| line.strip_suffix(" HTTP/1.1"))
        .collect()
}

#[test]
fn what_makes_the_line_longer_than_the_platform_takes_is_refused_here() {
    let mut toy = in_a_row();
    toy.frame.line_max = "GET //write?n=9 HTTP/1.1\r\n".len();
    let mut world = World::new();
    world.append_many(12);
    let mut talk = connect(&toy, &world);
    let mut all = Vec::new();
    loop {
        let text = sent(&mut talk, &mut world);
        let got: Vec<_> = asked(&text).iter().map(|n| (*n).to_owned()).collect();
        if got.is_empty() {
            break;
        }
        talk.hears(&mut world, &says(200, "all").repeat(got.len()))
            .unwrap();
        all.extend(got);
    }
    assert_eq!(all.len(), 10, "{all:?}");
    let counters = world.counters();
    assert_eq!((counters.accepted, counters.given_up), (10, 2));
    let told = format!("{:?}", world.events());
    assert!(told.contains("takes at most 26"), "{told}");
}

#[test]
fn requests_follow_one_another_once_the_server_has_shown_that_it_stays() {
    let (toy, mut world) = (in_a_row(), World::new());
    world.append_many(7);
    let mut talk = connect(&toy, &world);
    let first = sent(&mut talk, &mut world);
    assert_eq!(asked(&first), ["0"]);
    assert!(!first.contains("content-length"), "{first}");
    talk.hears(&mut world, &says(200, "all")).unwrap();
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["1", "2", "3"]);
    let two = [says(200, "all"), says(200, "all")].concat();
    talk.hears(&mut world, &two[..60]).unwrap();
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["4"]);
    talk.hears(&mut world, &two[60..]).unwrap();
    assert_eq!(world.counters().accepted, 3);
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["5"]);
}

#[test]
fn of_requests_that_follow_one_another_each_has_its_own_answer() {
    let (toy, mut world) = (in_a_row(), World::new());
    world.append_many(5);
    let mut talk = connect(&toy, &world);
    sent(&mut talk, &mut world);
    talk.hears(&mut world, &says(200, "all")).unwrap();
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["1", "2", "3"]);
    let answers = [says(503, ""), says(200, "all"), says(400, "")].concat();
    talk.hears(&mut world, &answers).unwrap();
    let counters = world.counters();
    assert_eq!(
        (counters.accepted, counters.backlog),
        (1, 4),
        "1 waits again"
    );
    world.wait();
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["1", "4"]);
    talk.hears(&mut world, &says(200, "all").repeat(2)).unwrap();
    let counters = world.counters();
    assert_eq!(
        (counters.accepted, counters.given_up, counters.backlog),
        (4, 1, 0)
    );
}

#[test]
fn a_connection_that_ends_repeats_what_was_not_answered() {
    let (toy, mut world) = (in_a_row(), World::new());
    world.append_many(5);
    let mut talk = connect(&toy, &world);
    sent(&mut talk, &mut world);
    talk.hears(&mut world, &says(200, "all")).unwrap();
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["1", "2", "3"]);
    talk.hears(&mut world, &says(200, "all")).unwrap();
    let disconnect = talk.closes(&mut world);
    assert_eq!(disconnect.retry, Retry::AtOnce, "it answered before");
    lose(&mut world, &disconnect);
    let mut talk = connect(&toy, &world);
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["2"]);
    talk.hears(&mut world, &says(200, "all")).unwrap();
    assert_eq!(asked(&sent(&mut talk, &mut world)), ["3", "4"]);
    let disconnect = talk.wakes(&mut world).unwrap_err();
    assert_eq!(disconnect.retry, Retry::Paused, "none of them in time");
    assert_eq!(world.counters().accepted, 3);
}
