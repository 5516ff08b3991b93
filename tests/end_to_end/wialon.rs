//! Wialon devices and retranslators, played by raw sockets, through the whole daemon to a file.

use crate::weir::PATIENCE;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value as Json;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::net::UdpSocket;

struct Wialon {
    ips: u16,
    retranslator: u16,
    programs: u16,
    weir: Weir,
}

impl Wialon {
    /// With a stream that goes round: out of one channel, into the other.
    fn start(name: &str) -> Self {
        let [ips, retranslator, programs] = [free_port(), free_port(), free_port()];
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
             [[channel]]\nname = \"ips\"\ntype = \"wialon-ips\"\n\
             listen = [\"127.0.0.1:{ips}\", \"udp:127.0.0.1:{ips}\"]\n\
             [[channel]]\nname = \"units\"\ntype = \"wialon-retranslator\"\n\
             listen = \"127.0.0.1:{retranslator}\"\n\
             [[channel]]\nname = \"programs\"\ntype = \"json\"\n\
             listen = \"127.0.0.1:{programs}\"\n\
             [[stream]]\nname = \"round\"\ntype = \"wialon-retranslator\"\n\
             address = \"127.0.0.1:{retranslator}\"\nchannels = [\"programs\"]\n\
             [[stream]]\nname = \"disk\"\ntype = \"file\"\npath = \"@/out.jsonl\"\n\
             channels = [\"ips\", \"units\"]\n"
        );
        Self {
            ips,
            retranslator,
            programs,
            weir: Weir::start(name, &config),
        }
    }

    /// What arrived, in order.
    fn messages(&self) -> Vec<Json> {
        let text = std::fs::read_to_string(self.weir.folder.join("out.jsonl"));
        let text = text.unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let wait = Some(PATIENCE);
    socket.set_read_timeout(wait).unwrap();
    socket
}

/// Says something and reads as many bytes as are expected back.
fn ask(socket: &mut TcpStream, words: &[u8], answer: &[u8]) {
    socket.write_all(words).unwrap();
    let mut given = vec![0; answer.len()];
    socket.read_exact(&mut given).unwrap();
    assert_eq!(given, answer, "{}", given.escape_ascii());
}

#[test]
fn wialon_ips_arrives_and_is_answered_over_tcp_and_udp() {
    let wialon = Wialon::start("wialon-ips");
    let mut device = connect(wialon.ips);
    ask(&mut device, b"#L#2.0;imei;NA;A932\r\n", b"#AL#1\r\n");
    // the compressed packet of the specification, a photo, a ping
    ask(&mut device, COMPRESSED, b"#AD#1\r\n");
    let photo = [
        &b"#I#70000;0;0;070512;124010;a.jpg;0\r\n"[..],
        &[b'#'; 70_000],
        b"#P#\r\n",
    ];
    ask(&mut device, &photo.concat(), b"#AI#0;0\r\n#AP#\r\n");
    ask(&mut device, b"#M#hello;1\r\n", b"#AM#01\r\n");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let wait = Some(PATIENCE);
    socket.set_read_timeout(wait).unwrap();
    let sent = format!("86246#B#{SHORT}|{SHORT}\r\n");
    socket
        .send_to(sent.as_bytes(), ("127.0.0.1", wialon.ips))
        .unwrap();
    let mut answer = [0; 64];
    let len = socket.recv(&mut answer).unwrap();
    assert_eq!(&answer[..len], b"#AB#2\r\n");
    eventually("all arrive", || wialon.messages().len() == 3);
    let messages = wialon.messages();
    assert_eq!(messages[0]["ident"], "imei");
    assert_eq!(messages[0]["dparam"].to_string(), "3.14159265");
    assert_eq!(messages[0]["alarm.status"], true);
    assert_eq!(messages[0]["ain.1"], 1.0);
    assert_eq!(messages[0]["protocol.name"], "wialon-ips");
    assert_eq!(messages[2]["ident"], "86246");
    assert_eq!(messages[2]["position.longitude"], 37.66139);
}

/// As long as the specification allows: longer than what other protocols have in one unit.
#[test]
fn a_black_box_of_five_thousand_is_taken_whole() {
    let wialon = Wialon::start("wialon-box");
    let mut device = connect(wialon.ips);
    ask(&mut device, b"#L#86246;NA\r\n", b"#AL#1\r\n");
    let black_box = format!("#B#{}\r\n", [SHORT; 5000].join("|"));
    assert!(black_box.len() > 200_000);
    let start = std::time::Instant::now();
    ask(&mut device, black_box.as_bytes(), b"#AB#5000\r\n");
    println!("a black box of 5000: {:?}", start.elapsed());
    eventually("all arrive", || wialon.messages().len() == 5000);
}

#[test]
fn wialon_retranslator_arrives_and_is_answered() {
    let wialon = Wialon::start("wialon-units");
    let mut sender = connect(wialon.retranslator);
    ask(&mut sender, &[OFFICIAL, OFFICIAL].concat(), &[0x11, 0x11]);
    eventually("both arrive", || wialon.messages().len() == 2);
    let message = wialon.messages().remove(0);
    assert_eq!(message["ident"], "353976013445485");
    assert_eq!(message["timestamp"], 1_259_076_464);
    assert_eq!(message["position.latitude"], 55.7305664);
    assert_eq!(message["external.powersource.voltage"], 27.593);
    assert_eq!(message["din"], 1);
    // a lying size ends the connection
    sender.write_all(&[0xFF; 8]).unwrap();
    assert_eq!(sender.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_message_goes_from_weir_to_weir() {
    let wialon = Wialon::start("wialon-round");
    let mut program = connect(wialon.programs);
    let line = r#"{"ident":"truck 7","timestamp":1700000000,"position.latitude":54.6872,
        "position.longitude":25.2797,"position.altitude":112.5,"position.speed":63,
        "position.direction":359,"position.satellites":9,"engine.ignition.status":true,
        "battery.level":87,"fuel":45.5,"note":"hé"}"#;
    let line = line.replace('\n', "") + "\n";
    ask(&mut program, line.as_bytes(), b"{\"acked\":1}\n");
    eventually("it arrives", || wialon.messages().len() == 1);
    let message = wialon.messages().remove(0);
    let sent: Json = serde_json::from_str(&line).unwrap();
    for (name, value) in sent.as_object().unwrap() {
        assert_eq!(&message[name], value, "{name}");
    }
    assert_eq!(message["channel.name"], "units");
}

const SHORT: &str = "270413;205601;5544.6025;N;03739.6834;E;1;2;3;4";

/// The compressed packet of the specification of Wialon IPS 2.0.
const COMPRESSED: &[u8] = b"\xff\x76\x00\x78\x01\x25\x8c\xcb\x0a\xc2\x40\x10\x04\x3f\x26\xd7\x75\
    \x99\xde\x99\x31\xec\xf4\xc9\xd7\x35\x1e\xf2\x05\x01\x45\x02\x46\x25\xf8\xff\x98\x18\xea\x54\
    \x0d\xd5\xcd\xb9\x29\x0a\x41\x21\x5c\xab\x57\xba\xba\x65\xab\x65\x2f\xec\x28\xa5\x55\x64\xb3\
    \x5a\x85\x17\xca\x82\x8a\xb0\x25\x32\xfe\x86\x24\x2b\xec\x0e\x1c\x1f\xaf\x40\x20\xdd\x3e\xc3\
    \x3c\x4c\x51\x42\x33\x0c\xbe\x1c\x79\xfa\x6e\x9b\xc6\xf3\x3d\xdf\xa7\x34\x6e\x8a\xd8\xb9\xa7\
    \xfe\xda\xaf\x1d\xed\x78\xd2\x1f\xef\x75\x22\xf7";

/// The example of the specification of Wialon Retranslator.
const OFFICIAL: &[u8] =
    b"\x74\0\0\x00353976013445485\0\x4b\x0b\xfb\x70\0\0\0\x03\x0b\xbb\0\0\0\x27\
    \x01\x02posinfo\0\xa0\x27\xaf\xdf\x5d\x98\x48\x40\x3a\xc7\x25\x33\x83\xdd\x4b\x40\0\0\0\0\0\
    \x80\x5a\x40\0\x36\x01\x46\x0b\x0b\xbb\0\0\0\x12\0\x04pwr_ext\0\x2b\x87\x16\xd9\xce\x97\x3b\
    \x40\x0b\xbb\0\0\0\x11\x01\x03avl_inputs\0\0\0\0\x01";
