//! A server of ours that takes `_SendMessage` by TCP as the specification has it, and by HTTP as
//! the vendor's page; it can be told to break one rule.

use crate::contract::Contract;
use crate::contract::Request;
use crate::contract::Taken;
use crate::contract::web;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpStream;

/// What a server does otherwise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    No,
    /// It takes messages and says nothing, as Traccar.
    Silent,
    /// It answers about somebody else, and takes nothing.
    OtherImei,
    /// By HTTP it answers 200 without a word, and takes nothing.
    Empty,
}

/// An IMEI that it does not know.
pub(crate) const UNKNOWN: &str = "352093089999999";

/// Lets in `weir` with `right-secret`.
pub(crate) fn tcp(broken: Broken) -> Contract {
    Contract::start(move |socket, taken| serve(socket, taken, broken))
}

fn serve(mut socket: TcpStream, taken: &Taken, broken: Broken) {
    let mut is_in = false;
    for line in BufReader::new(socket.try_clone().unwrap()).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8(line).unwrap();
        let (sentence, sum) = line.strip_prefix('$').unwrap().split_once('*').unwrap();
        let right = sentence.bytes().fold(0, |sum, byte| sum ^ byte);
        assert_eq!(sum, format!("{right:02X}\r"), "{line}");
        let fields: Vec<_> = sentence.split(',').collect();
        let answer = match fields[0] {
            "FRLIN" => {
                // `right-secret`, from its end, mirrored
                is_in = fields == ["FRLIN", "", "weir", "GVIXVH-GSTRI"];
                match is_in {
                    true => "$FRVER,1,1,ours*00\r\n$FRSES,17*00\r\n".to_owned(),
                    false => "$FRERR,AuthError,who are you*00\r\n".to_owned(),
                }
            }
            _ if !is_in => return,
            _ => command(&fields, taken, broken),
        };
        if socket.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

pub(crate) fn http(broken: Broken) -> Contract {
    web(move |request: &Request, taken: &Taken| {
        let path = "/comGpsGate/protocols/gpsgate/?cmd=$";
        let sentence = request.path.strip_prefix(path).unwrap();
        assert!(!sentence.contains('*') && request.method == "GET");
        let fields: Vec<_> = sentence.split(',').collect();
        (200, command(&fields, taken, broken))
    })
}

/// The answer to a command; what of the message it takes.
fn command(fields: &[&str], taken: &Taken, broken: Broken) -> String {
    let [
        "FRCMD",
        imei,
        "_SendMessage",
        "",
        latitude,
        "N",
        longitude,
        "E",
        rest @ ..,
    ] = fields
    else {
        return "$FRERR,NotSupported,what*00\r\n".to_owned();
    };
    assert_eq!((*latitude, *longitude), ("5441.2320", "02516.7820"));
    let [_altitude, knots, _heading, date, time, "1", inputs @ ..] = rest else {
        panic!("{fields:?}");
    };
    assert!((date.len(), time.len()) == (6, 9), "{fields:?}");
    let mut inputs = inputs.iter().filter_map(|input| input.split_once('='));
    let number = inputs.find(|(name, _)| *name == "Seq").unwrap().1;
    let number: u64 = number.parse().unwrap();
    let (knots, speed): (f64, f64) = (knots.parse().unwrap(), (number % 110) as f64);
    assert!((knots * 1.852 - speed).abs() < 0.01, "{fields:?}");
    match broken {
        _ if *imei == UNKNOWN => "$FRERR,AuthError,Unknown device*00\r\n".to_owned(),
        Broken::No => {
            taken.add(number);
            format!("$FRRET,{imei},_SendMessage,Inline*00\r\n")
        }
        Broken::Silent => String::new(),
        Broken::OtherImei => "$FRRET,17,_SendMessage,Inline*00\r\n".to_owned(),
        Broken::Empty => String::new(),
    }
}
