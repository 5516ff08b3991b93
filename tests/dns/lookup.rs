//! Lookups in virtual time: servers that are dead, late, wrong or broken.

use crate::A;
use crate::AAAA;
use crate::FORMERR;
use crate::NOTIMP;
use crate::NXDOMAIN;
use crate::OK;
use crate::QUESTION;
use crate::REFUSED;
use crate::Random;
use crate::SERVFAIL;
use crate::TRUNCATED;
use crate::answer;
use crate::edns;
use crate::kind;
use crate::wire;
use std::net::IpAddr;
use std::time::Duration;
use weir::net::dns::Config;
use weir::net::dns::Error;
use weir::net::dns::Lookup;
use weir::net::dns::Over;
use weir::net::dns::Step;

/// A lookup of one host and the datagrams that it has sent, each with its server.
struct World {
    lookup: Lookup,
    sent: Vec<(usize, Vec<u8>)>,
    /// How each of them went.
    over: Vec<Over>,
    now: Duration,
}

impl World {
    fn new(host: &str, resolv_conf: &str) -> Self {
        let config = Config::parse(resolv_conf.as_bytes());
        let lookup = Lookup::new(host, &config, [1, 2]).unwrap();
        let mut world = Self {
            lookup,
            sent: Vec::new(),
            over: Vec::new(),
            now: BOOTED,
        };
        assert!(world.step().is_ok());
        world
    }

    /// Sends what is to be sent; how long to wait then, or how it ended.
    fn step(&mut self) -> Result<Duration, Result<Vec<IpAddr>, Error>> {
        loop {
            match self.lookup.next(self.now) {
                Step::Send {
                    server,
                    over,
                    message,
                } => {
                    self.sent.push((server, message));
                    self.over.push(over);
                }
                Step::Wait(until) => return Ok(until - self.now),
                Step::Done(result) => return Err(result),
            }
        }
    }

    /// Waits as long as it takes; how long that was, and how it ended.
    fn finish(&mut self) -> (Duration, Result<Vec<IpAddr>, Error>) {
        let began = self.now;
        loop {
            match self.step() {
                Ok(wait) => self.now += wait,
                Err(result) => return (self.now - began, result),
            }
        }
    }

    fn servers(&self) -> Vec<usize> {
        self.sent.iter().map(|(server, _)| *server).collect()
    }

    fn sent(&self, index: usize) -> (usize, Vec<u8>) {
        self.sent[index].clone()
    }

    /// Answers the query at `index` of those sent.
    fn reply(&mut self, index: usize, flags: u16, address: Option<&[u8]>) {
        let (server, query) = self.sent(index);
        let records = address.map(|data| (QUESTION.to_vec(), kind(&query), data));
        let message = answer(&query, flags, records.as_slice());
        self.lookup
            .receive(server, self.over[index], &message, self.now);
    }
}

const BOOTED: Duration = Duration::from_secs(1_000);
const V4: &[u8] = &[10, 0, 0, 1];
const V6: &[u8] = &[0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const ONE: &str = "nameserver 192.0.2.1\n";
const TWO: &str = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n";

fn seconds(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn addresses(text: &[&str]) -> Result<Vec<IpAddr>, Error> {
    Ok(text
        .iter()
        .map(|address| address.parse().unwrap())
        .collect())
}

#[test]
fn both_families_are_asked_at_once_and_both_answers_end_it() {
    let mut world = World::new("a.example", ONE);
    assert_eq!([kind(&world.sent(0).1), kind(&world.sent(1).1)], [AAAA, A]);
    world.reply(1, OK, Some(V4));
    world.reply(0, OK, Some(V6));
    assert_eq!(world.step(), Err(addresses(&["fd00::1", "10.0.0.1"])));
}

#[test]
fn a_dead_server_is_asked_three_times_in_six_seconds() {
    let mut world = World::new("a.example", ONE);
    let (took, result) = world.finish();
    assert_eq!(took, seconds(6));
    assert_eq!(world.servers(), [0; 6]);
    let error = result.unwrap_err();
    assert!(error.is_outage());
    let said = "the name server does not answer: `192.0.2.1:53`; asked for `a.example`";
    assert_eq!(error.to_string(), said);
}

#[test]
fn the_second_server_is_asked_when_the_first_is_dead() {
    let mut world = World::new("a.example", TWO);
    world.now += seconds(2);
    assert_eq!(world.step(), Ok(seconds(2)));
    assert_eq!(world.servers(), [0, 0, 1, 1]);
    world.reply(2, OK, None);
    world.reply(3, OK, Some(V4));
    assert_eq!(world.step(), Err(addresses(&["10.0.0.1"])));
}

#[test]
fn a_late_answer_counts() {
    let mut world = World::new("a.example", TWO);
    world.now += seconds(3);
    assert!(world.step().is_ok());
    world.reply(0, OK, Some(V6));
    world.reply(1, OK, None);
    assert_eq!(world.step(), Err(addresses(&["fd00::1"])));
}

#[test]
fn an_answer_with_a_wrong_id_changes_nothing() {
    let mut world = World::new("a.example", ONE);
    let (server, mut query) = world.sent(1);
    query[0] ^= 1;
    let message = answer(&query, OK, &[(QUESTION.to_vec(), A, V4)]);
    world.lookup.receive(server, Over::Udp, &message, world.now);
    assert_eq!(world.finish().0, seconds(6));
}

#[test]
fn the_other_family_is_waited_for_half_a_second() {
    let mut world = World::new("a.example", ONE);
    world.reply(1, OK, Some(V4));
    assert_eq!(
        world.finish(),
        (Duration::from_millis(500), addresses(&["10.0.0.1"]))
    );
}

#[test]
fn an_empty_answer_leaves_the_other_family_all_its_tries() {
    let mut world = World::new("a.example", ONE);
    world.reply(0, OK, None);
    world.now += seconds(4);
    assert!(world.step().is_ok());
    assert_eq!(
        world.sent.len(),
        3,
        "the answered question is not sent again"
    );
    world.reply(2, OK, Some(V4));
    assert_eq!(world.step(), Err(addresses(&["10.0.0.1"])));
}

#[test]
fn a_name_that_is_not_there_is_said_to_be_so() {
    let mut world = World::new("a.example", ONE);
    world.reply(0, NXDOMAIN, None);
    world.reply(1, NXDOMAIN, None);
    let error = world.step().unwrap_err().unwrap_err();
    assert!(!error.is_outage());
    assert_eq!(error.to_string(), "no such name: `a.example`");
}

/// RFC 4074 knows servers that deny the whole name when asked for AAAA.
#[test]
fn an_address_outweighs_a_denial_for_the_other_family() {
    let mut world = World::new("a.example", ONE);
    world.reply(0, NXDOMAIN, None);
    world.reply(1, OK, Some(V4));
    assert_eq!(world.step(), Err(addresses(&["10.0.0.1"])));
}

#[test]
fn a_name_without_addresses_is_said_to_be_so() {
    let mut world = World::new("a.example", ONE);
    world.reply(0, OK, None);
    world.reply(1, OK, Some(&[0, 0, 0, 0]));
    let error = world.step().unwrap_err().unwrap_err();
    assert_eq!(error.to_string(), "this name has no address: `a.example`");
}

#[test]
fn the_next_server_is_asked_at_once_when_one_fails() {
    let mut world = World::new("a.example", TWO);
    world.reply(0, SERVFAIL, None);
    assert!(world.step().is_ok());
    assert_eq!(
        world.servers(),
        [0, 0],
        "the other question may still be answered"
    );
    world.reply(1, SERVFAIL, None);
    assert!(world.step().is_ok());
    assert_eq!(world.servers(), [0, 0, 1, 1]);
    world.reply(2, REFUSED, None);
    world.reply(3, REFUSED, None);
    let said = "the name server `192.0.2.2:53` answers `REFUSED`; asked for `a.example`";
    assert_eq!(world.step().unwrap_err().unwrap_err().to_string(), said);
}

#[test]
fn an_unreachable_server_costs_no_time() {
    let mut world = World::new("a.example", TWO);
    world.lookup.unreachable(0);
    assert_eq!(world.step(), Ok(seconds(2)));
    world.lookup.unreachable(1);
    let said = "the name server `192.0.2.2:53` cannot be reached; asked for `a.example`";
    assert_eq!(world.step().unwrap_err().unwrap_err().to_string(), said);
}

#[test]
fn a_short_name_is_searched_and_then_taken_as_it_is() {
    let mut world = World::new("broker", "nameserver 192.0.2.1\nsearch lan example.org\n");
    for (round, name) in ["broker.lan", "broker.example.org"].iter().enumerate() {
        assert!(world.sent(2 * round).1[12..].starts_with(&wire(name)));
        world.reply(2 * round, NXDOMAIN, None);
        world.reply(2 * round + 1, NXDOMAIN, None);
        assert!(world.step().is_ok());
    }
    assert!(world.sent(4).1[12..].starts_with(&wire("broker")));
    world.reply(5, OK, Some(V4));
    assert_eq!(world.finish().1, addresses(&["10.0.0.1"]));
}

#[test]
fn a_denied_name_hides_no_failure_of_another() {
    let mut world = World::new("broker", "nameserver 192.0.2.1\nsearch lan\n");
    world.reply(0, SERVFAIL, None);
    world.reply(1, SERVFAIL, None);
    assert!(world.step().is_ok());
    world.reply(2, NXDOMAIN, None);
    world.reply(3, NXDOMAIN, None);
    assert!(world.step().unwrap_err().unwrap_err().is_outage());
}

#[test]
fn each_searched_name_has_all_the_time() {
    let mut world = World::new("broker", "nameserver 192.0.2.1\nsearch lan\n");
    world.reply(0, NXDOMAIN, None);
    let (took, result) = world.finish();
    assert_eq!(took, Duration::from_millis(6_500));
    assert!(result.unwrap_err().is_outage());
}

#[test]
fn a_name_with_a_dot_is_not_searched() {
    for host in ["broker.", "a.example"] {
        let world = World::new(host, "nameserver 192.0.2.1\nsearch lan\n");
        assert!(world.sent(0).1[12..].starts_with(&wire(host)));
    }
}

#[test]
fn an_answer_that_does_not_fit_is_asked_for_over_tcp() {
    let mut world = World::new("a.example", ONE);
    assert_eq!(edns(&world.sent(0).1), Some(1232));
    world.reply(1, TRUNCATED, None);
    assert_eq!(world.step(), Ok(seconds(2)), "with all the time");
    assert_eq!(world.over, [Over::Udp, Over::Udp, Over::Tcp]);
    assert_eq!(kind(&world.sent(2).1), A, "the other one was not");
    world.reply(1, TRUNCATED, None);
    assert!(world.step().is_ok());
    assert_eq!(world.sent.len(), 3, "a repeat changes nothing");
    world.reply(0, OK, None);
    world.reply(2, OK, Some(V4));
    assert_eq!(world.step(), Err(addresses(&["10.0.0.1"])));
}

#[test]
fn what_is_not_to_be_had_over_tcp_either_is_asked_elsewhere() {
    let mut world = World::new("a.example", TWO);
    world.reply(0, TRUNCATED, None);
    world.reply(1, TRUNCATED, None);
    assert!(world.step().is_ok());
    world.lookup.broken(0);
    assert!(world.step().is_ok());
    assert_eq!(world.servers(), [0, 0, 0, 0, 1, 1]);
    assert_eq!(world.over[4..], [Over::Udp, Over::Udp]);
    for index in [4, 5] {
        world.reply(index, TRUNCATED, None);
    }
    assert!(world.step().is_ok());
    world.reply(6, TRUNCATED, None);
    world.lookup.broken(1);
    let error = world.step().unwrap_err().unwrap_err();
    assert!(error.is_outage());
    let said = "answers more than fits into a datagram, and not over TCP";
    assert!(error.to_string().contains(said), "{error}");
}

#[test]
fn a_server_that_knows_no_edns_is_asked_without() {
    for status in [FORMERR, NOTIMP] {
        let mut world = World::new("a.example", ONE);
        world.reply(0, status, None);
        world.reply(1, status, None);
        assert!(world.step().is_ok());
        assert_eq!(world.servers(), [0; 4]);
        assert_eq!(edns(&world.sent(2).1), None);
        assert_eq!(edns(&world.sent(3).1), None);
        world.reply(2, OK, Some(V6));
        world.reply(3, status, None);
        assert_eq!(world.finish().1, addresses(&["fd00::1"]));
    }
}

#[test]
fn a_server_that_said_nothing_is_asked_without_edns_the_next_time() {
    let mut world = World::new("a.example", ONE);
    world.now += seconds(2);
    assert!(world.step().is_ok());
    let forms: Vec<_> = world.sent.iter().map(|(_, query)| edns(query)).collect();
    assert_eq!(forms, [Some(1232), Some(1232), None, None]);
}

/// Whatever the servers do: no more than the tries are sent, and it ends in their time.
#[test]
fn every_lookup_ends_in_time() {
    for seed in 1..20_000 {
        let mut random = Random(seed);
        let conf = [ONE, TWO, "nameserver 192.0.2.1\nsearch lan\n"][random.below(3)];
        let mut world = World::new(["a.example", "broker"][random.below(2)], conf);
        while let Ok(wait) = world.step() {
            let index = random.below(world.sent.len());
            match random.below(8) {
                0 => world.reply(index, [SERVFAIL, NXDOMAIN, REFUSED][random.below(3)], None),
                6 => world.reply(index, [FORMERR, NOTIMP, TRUNCATED][random.below(3)], None),
                7 => world.lookup.broken(random.below(4)),
                1 => world.reply(index, OK, None),
                2 => world.reply(index, OK, Some([V4, V6][random.below(2)])),
                3 => world.lookup.unreachable(random.below(4)),
                _ => world.now += wait,
            }
        }
        let took = world.now - BOOTED;
        assert!(
            took <= seconds(12 + 2 * 2 * 2 * 2) + Duration::from_secs(1),
            "seed {seed}: {took:?}"
        );
        assert!(
            world.sent.len() <= 12 + 2 * 2 * 2 * 2,
            "seed {seed}: {} sent",
            world.sent.len()
        );
    }
}
