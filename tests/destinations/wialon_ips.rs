//! `wialon-ips`: a server of ours. One rule after the other can be broken, see [`Rule`].

use crate::contract::{Contract, Taken};
use crate::row::{Counterpart, Has, Limit, Login, REFUSED, Refusal, Row};
use crate::scenarios::Play;
use crate::weir::eventually;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

pub(crate) const ROW: Row = Row {
    name: "wialon-ips",
    start: || start(Rule::None).with_keys(keys),
    login: Has::Yes(Login {
        right: "right-secret",
        wrong: "wrong-secret",
        named: "look at `password` (`#AL#01`)",
        is_secret: true,
    }),
    refusal: Has::Yes(Refusal {
        said: "no unit `352093089999999` there",
    }),
    limit: Has::Yes(Limit {
        large: || format!("\"text\":\"{}\"", "x".repeat(1345)),
        said: "the text of `text` has 1345 bytes, a packet has at most 1344 of one",
    }),
    login_seen: Has::Yes("#L#2.0;352093081234567;*****************\r\n"),
};

fn keys(port: u16) -> String {
    let address = format!("address = \"127.0.0.1:{}\"", port);
    format!("{address}\npassword = \"right-secret\"\ntimeout = \"300ms\"")
}

/// What the server does not do as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    None,
    /// Of a black box one less is counted than was registered.
    Count,
    /// Messages get no answer.
    Silence,
}

/// Serves units that know the password, but for that of the message to be refused.
fn start(broken: Rule) -> Contract {
    Contract::start(move |socket, taken| serve(socket, taken, broken))
}

fn serve(mut socket: TcpStream, taken: &Taken, broken: Rule) {
    let lines = BufReader::new(socket.try_clone().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        let (kind, body) = line[1..].split_once('#').unwrap();
        let fits = checked(body);
        let (_, message) = body.split_once(';').unwrap();
        let answer = match kind {
            _ if !fits => format!("#A{kind}#"),
            "L" if body.starts_with(&format!("2.0;{REFUSED};")) => "#AL#0".to_owned(),
            "L" if message.split(';').nth(1) != Some("right-secret") => "#AL#01".to_owned(),
            "L" => "#AL#1".to_owned(),
            _ if broken == Rule::Silence => continue,
            "D" => {
                taken.add(number(body));
                "#AD#1".to_owned()
            }
            _ => {
                let records = body.rsplit_once('|').unwrap().0.split('|');
                let count = records.map(|record| taken.add(number(record))).count();
                format!("#AB#{}", count - usize::from(broken == Rule::Count))
            }
        };
        let is_sent = socket.write_all(format!("{answer}\r\n").as_bytes());
        if is_sent.is_err() || answer.starts_with("#AL#0") {
            return;
        }
    }
}

fn number(record: &str) -> u64 {
    let (_, rest) = record.split_once("seq:1:").unwrap();
    rest.split([',', ';']).next().unwrap().parse().unwrap()
}

/// CRC-16/ARC, as the specification has it, of all before the last four digits.
fn checked(body: &str) -> bool {
    let (covered, digits) = body.split_at(body.len() - 4);
    let mut sum = 0_u16;
    for byte in covered.bytes() {
        sum ^= u16::from(byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xA001 } else { sum >> 1 };
        }
    }
    u16::from_str_radix(digits, 16) == Ok(sum)
}

/// A count that does not fit is not believed: each goes once more, alone, and none is lost.
#[test]
fn a_server_that_counts_one_less_is_asked_for_each_alone() {
    let play = Play::start(&broken(|| start(Rule::Count).with_keys(keys)), None);
    play.send(0..30);
    play.await_all_taken(30);
    play.assert_counted(30, 0);
    assert!(play.count("rejected") > 0);
}

#[test]
fn a_server_that_answers_nothing_but_logins_costs_no_message() {
    let play = Play::start(&broken(|| start(Rule::Silence).with_keys(keys)), None);
    play.send(0..5);
    play.weir.await_log("no answer within 300ms to a packet");
    eventually("it is tried again", || play.count("rejected") > 20);
    assert_eq!((play.count("backlog"), play.count("given_up")), (5, 0));
}

fn broken(start: fn() -> Box<dyn Counterpart>) -> Row {
    Row { start, ..ROW }
}
