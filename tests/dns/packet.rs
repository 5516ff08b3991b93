//! The datagrams: what is sent, byte for byte, and what is understood of anything that comes.

use crate::A;
use crate::AAAA;
use crate::CNAME;
use crate::NXDOMAIN;
use crate::OK;
use crate::QUESTION;
use crate::REFUSED;
use crate::Random;
use crate::TRUNCATED;
use crate::answer;
use crate::wire;
use std::net::IpAddr;
use weir::net::dns::ADDRESSES_MAX;
use weir::net::dns::Config;
use weir::net::dns::Failure;
use weir::net::dns::Kind;
use weir::net::dns::Name;
use weir::net::dns::Query;
use weir::net::dns::Reply;
use weir::net::dns::hosts;

fn query(name: &str, kind: Kind) -> Query {
    let name = Name::parse(name).unwrap();
    Query {
        id: 0xBEEF,
        name,
        kind,
    }
}

fn found(addresses: &[&str]) -> Option<Reply> {
    let parse = |address: &&str| address.parse::<IpAddr>().unwrap();
    Some(Reply::Addresses(addresses.iter().map(parse).collect()))
}

/// Reads an answer to a question for the IPv4 addresses of `a.example`.
fn read(flags: u16, records: &[crate::Record<'_>]) -> Option<Reply> {
    let query = query("a.example", Kind::A);
    query.read(&answer(&query.to_bytes(), flags, records))
}

#[test]
fn a_query_is_what_rfc_1035_draws() {
    let head = b"\xBE\xEF\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    let name = b"\x01f\x03isi\x04arpa\x00";
    let a = [&head[..], name, b"\x00\x01\x00\x01"].concat();
    let aaaa = [&head[..], name, b"\x00\x1C\x00\x01"].concat();
    assert_eq!(query("F.ISI.ARPA", Kind::A).to_bytes(), a);
    assert_eq!(query("f.isi.arpa.", Kind::Aaaa).to_bytes(), aaaa);
}

/// Section 4.1.4: F.ISI.ARPA at 20, FOO.F.ISI.ARPA at 40 by a pointer to 20, ARPA at 64 by a
/// pointer to 26, the root at 92; here the question's name is the one at 12, the rest moves along.
#[test]
fn names_are_compressed_as_in_the_example_of_rfc_1035() {
    let message = b"\xBE\xEF\x81\x80\x00\x01\x00\x04\x00\x00\x00\x00\
        \x03FOO\x01F\x03ISI\x04ARPA\x00\x00\x01\x00\x01\
        \xC0\x0C\x00\x05\x00\x01\x00\x00\x00\x3C\x00\x02\xC0\x10\
        \xC0\x10\x00\x05\x00\x01\x00\x00\x00\x3C\x00\x06\x03bar\xC0\x16\
        \x00\x00\x10\x00\x01\x00\x00\x00\x3C\x00\x02\x01x\
        \x03BAR\xC0\x16\x00\x01\x00\x01\x00\x00\x00\x3C\x00\x04\x0A\x01\x00\x34";
    assert_eq!(
        query("foo.f.isi.arpa", Kind::A).read(message),
        found(&["10.1.0.52"])
    );
}

#[test]
fn addresses_are_read_in_their_order() {
    let (first, second) = ([10, 0, 0, 2], [10, 0, 0, 1]);
    let records = [
        (QUESTION.to_vec(), A, &first[..]),
        (QUESTION.to_vec(), A, &second),
    ];
    assert_eq!(read(OK, &records), found(&["10.0.0.2", "10.0.0.1"]));
}

#[test]
fn version_6_is_read_where_it_is_asked_for() {
    let query = query("a.example", Kind::Aaaa);
    let v6 = "fd00::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let records = [
        (QUESTION.to_vec(), A, &[10, 0, 0, 1][..]),
        (QUESTION.to_vec(), AAAA, &v6),
    ];
    let message = answer(&query.to_bytes(), OK, &records);
    assert_eq!(query.read(&message), found(&["fd00::1"]));
}

#[test]
fn aliases_are_followed_in_any_order_and_strangers_are_not_believed() {
    let (b, c) = (wire("b.example"), wire("c.example"));
    let records = [
        (wire("evil.example"), A, &[6, 6, 6, 6][..]),
        (wire("C.example"), A, &[10, 0, 0, 3]),
        (b.clone(), CNAME, &c),
        (QUESTION.to_vec(), CNAME, &b),
    ];
    assert_eq!(read(OK, &records), found(&["10.0.0.3"]));
}

#[test]
fn aliases_in_a_circle_lead_nowhere() {
    let (a, b) = (wire("a.example"), wire("b.example"));
    let records = [(a.clone(), CNAME, &b[..]), (b.clone(), CNAME, &a)];
    assert_eq!(read(OK, &records), found(&[]));
}

#[test]
fn what_fitted_into_a_truncated_answer_is_taken() {
    let query = query("a.example", Kind::A);
    let address = [10, 0, 0, 1];
    let records = [
        (QUESTION.to_vec(), A, &address[..]),
        (QUESTION.to_vec(), A, &address),
    ];
    let message = answer(&query.to_bytes(), TRUNCATED, &records);
    let cut = &message[..message.len() - 3];
    assert_eq!(query.read(cut), found(&["10.0.0.1"]));
    let truncated = Some(Reply::Failed(Failure::Truncated));
    assert_eq!(
        query.read(&answer(&query.to_bytes(), TRUNCATED, &[])),
        truncated
    );
    let untold = answer(&query.to_bytes(), OK, &records);
    let garbled = Some(Reply::Failed(Failure::Garbled));
    assert_eq!(query.read(&untold[..untold.len() - 3]), garbled);
}

#[test]
fn a_servers_refusals_are_told_apart() {
    assert_eq!(read(NXDOMAIN, &[]), Some(Reply::Absent));
    assert_eq!(read(REFUSED, &[]), Some(Reply::Failed(Failure::Code(5))));
    assert_eq!(read(OK, &[]), found(&[]));
    assert_eq!(read(0x8000, &[]), Some(Reply::Failed(Failure::Lame)));
    assert_eq!(read(0x8400, &[]), found(&[]));
}

#[test]
fn only_the_answer_to_this_very_question_is_one() {
    let query = query("a.example", Kind::A);
    let right = answer(
        &query.to_bytes(),
        OK,
        &[(QUESTION.to_vec(), A, &[10, 0, 0, 1])],
    );
    assert!(query.read(&right).is_some());
    let end = query.to_bytes().len();
    // id, direction, operation, count of questions, name, type, class
    for index in [0, 1, 2, 5, 13, end - 3, end - 1] {
        let mut wrong = right.clone();
        wrong[index] ^= if index == 2 { 0xC0 } else { 2 };
        assert_eq!(query.read(&wrong), None, "byte {index}");
    }
    assert_eq!(query.read(&query.to_bytes()), None);
}

#[test]
fn a_pointer_to_itself_or_ahead_is_no_name() {
    let end = query("a.example", Kind::A).to_bytes().len() as u8;
    for offset in [end, end + 2, 255] {
        let records = [(vec![0xC0, offset], A, &[10, 0, 0, 1][..])];
        assert_eq!(read(OK, &records), Some(Reply::Failed(Failure::Garbled)));
    }
}

#[test]
fn host_names_are_bounded() {
    let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
    assert!(Name::parse(&longest).is_some());
    for wrong in ["", ".", "a..b", ".a", "a b", "ä.de", "a/b", &"a".repeat(64)] {
        assert!(Name::parse(wrong).is_none(), "{wrong}");
    }
    assert!(Name::parse(&format!("{longest}b")).is_none());
    assert_eq!(
        Name::parse("_mqtt.EXAMPLE.").unwrap().to_string(),
        "_mqtt.example"
    );
}

#[test]
fn no_datagram_panics_or_loops() {
    let query = query("a.example", Kind::A);
    let b = wire("b.example");
    let records = [
        (QUESTION.to_vec(), CNAME, &b[..]),
        (b.clone(), A, &[10, 0, 0, 1]),
        (vec![1, b'c', 0xC0, 14], AAAA, &[7; 16]),
    ];
    let golden = answer(&query.to_bytes(), OK, &records);
    let mut random = Random(1035);
    let mut understood = 0;
    for _ in 0..200_000 {
        let mut message = golden.clone();
        for _ in 0..random.below(6) {
            let index = 2 + random.below(message.len() - 2);
            message[index] = random.below(256) as u8;
        }
        message.truncate(message.len() - random.below(8).saturating_sub(5) * random.below(40));
        if let Some(Reply::Addresses(addresses)) = query.read(&message) {
            assert!(addresses.len() <= ADDRESSES_MAX);
            understood += 1;
        }
    }
    assert!(
        understood > 10_000,
        "the mutations reach the records: {understood}"
    );
}

#[test]
fn no_file_panics() {
    let golden = b"nameserver [192.0.2.1]:53\nsearch a b\noptions timeout:1 attempts:2\n::1 a b\n";
    let mut random = Random(5);
    for _ in 0..50_000 {
        let mut text = golden.to_vec();
        for _ in 0..random.below(8) {
            let index = random.below(text.len());
            text[index] = random.below(256) as u8;
        }
        let config = Config::parse(&text);
        assert!((1..=3).contains(&config.servers.len()));
        assert!((1..=5).contains(&config.tries));
        assert!(hosts(&text, "a").unwrap_or_default().len() <= 2 * ADDRESSES_MAX);
    }
}
