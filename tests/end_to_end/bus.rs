//! CAN buses: a log in a file and through a FIFO, a server of its lines, and what an interface
//! brings, through a socket of this machine: kernels that build weir rarely have CAN.

use crate::can_frame::frame;
use crate::weir::Folder;
use crate::weir::Weir;
use crate::weir::eventually;
use rustix::fs::FileType;
use rustix::fs::Mode;
use rustix::fs::mknodat;
use rustix::net::AddressFamily;
use rustix::net::RecvFlags;
use rustix::net::SocketAddrUnix;
use rustix::net::SocketFlags;
use rustix::net::SocketType;
use rustix::net::accept;
use rustix::net::bind;
use rustix::net::listen;
use rustix::net::recv;
use rustix::net::socket_with;
use serde_json::Value as Json;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;

/// A bus, and a file of what came from it. `@` in the keys is the folder.
fn gateway(name: &str, keys: &str) -> Weir {
    start(name, keys, |_| ())
}

fn start(name: &str, keys: &str, prepare: impl FnOnce(&Path)) -> Weir {
    let config = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"bus\"\ntype = \"can\"\nident = \"truck\"\n{keys}\n\
         signals = [{SPEED}, {DOOR}]\n\
         [[stream]]\nname = \"copy\"\ntype = \"file\"\npath = \"@/copy\"\nchannels = [\"*\"]\n"
    );
    Weir::start_with(name, &config, |_, folder| prepare(&folder.join("")))
}

pub(crate) const SPEED: &str =
    "{ name = \"speed\", pgn = 65265, byte = 2, length = 16, scale = 0.00390625 }";
const DOOR: &str = "{ name = \"door\", id = \"0x201\", start = 3, length = 1, bool = true }";

/// The speed, by the name of a file.
const DBC: &str =
    "BO_ 2566844711 Speeds: 8 A\n SG_ WheelSpeed : 8|16@1+ (0.00390625,0) [0|0] \"\" A\n";

/// At 80 and 81 km/h, with the door shut and open.
pub(crate) const LINES: [&str; 3] = [
    "(1773480413.000200) can0 18FEF127#FF0050FFFFFFFFFF\n",
    "(1773480413.100000) can0 201#00\n",
    "(1773480424.000000) can0 18FEF127#FF0051FFFFFFFFFF\n",
];

fn messages(weir: &Weir) -> Vec<Json> {
    let text = fs::read_to_string(weir.folder.join("copy")).unwrap_or_default();
    let lines = text.lines().filter(|line| line.ends_with('}'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Waits for so many, and for no more.
fn await_messages(weir: &Weir, count: usize) -> Vec<Json> {
    eventually("the messages of the bus", || messages(weir).len() >= count);
    messages(weir)
}

/// The channel, as `weir status` has it.
fn status(weir: &Weir) -> Json {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let config = weir.folder.join("weir.toml");
    command.arg("-c").arg(config).args(["status", "--json"]);
    let output = command.output().unwrap();
    let mut status: Json = serde_json::from_slice(&output.stdout).unwrap();
    status["channels"][0].take()
}

#[test]
fn a_log_is_read_to_its_end_with_the_times_of_its_lines() {
    let weir = start(
        "bus-file",
        "connect = \"candump:@/log.can\"\npace = \"none\"\ndbc = [\"@/body.dbc\"]\n\
         rename = { WheelSpeed = \"can.vehicle.speed\" }",
        |folder| {
            fs::write(folder.join("log.can"), LINES.concat()).unwrap();
            fs::write(folder.join("body.dbc"), DBC).unwrap();
        },
    );
    let found = await_messages(&weir, 2);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0]["speed"], 80.0);
    assert_eq!(found[0]["door"], false);
    assert_eq!(found[0]["can.vehicle.speed"], 80.0);
    assert!(found[0].get("WheelSpeed").is_none(), "{found:?}");
    assert_eq!(found[0]["timestamp"], 1_773_480_413.1);
    assert_eq!(found[1]["speed"], 81.0);
    assert_eq!(found[1]["timestamp"], 1_773_480_424);
    assert_eq!(found[1]["protocol.name"], "can");
    weir.await_log("read to its end");
    assert_eq!(status(&weir)["listening"], true);
}

/// More of it than is read at once.
#[test]
fn a_log_that_is_read_at_its_pace_is_read_to_its_end() {
    let lines = (0..3_000).map(|line| {
        let time = 1_773_480_413.0 + f64::from(line) / 5_000.0;
        format!(
            "({time:.6}) can0 18FEF127#FF00{:02X}FFFFFFFFFF\n",
            line / 30
        )
    });
    let log: String = lines.collect();
    let keys = "connect = \"candump:@/log.can\"\nevery = \"100ms\"";
    let weir = start("bus-pace", keys, |folder| {
        fs::write(folder.join("log.can"), log).unwrap();
    });
    eventually("the speed of the last line", || {
        let found = messages(&weir);
        found.last().is_some_and(|last| last["speed"] == 99.0)
    });
    weir.await_log("read to its end");
}

#[test]
fn a_fifo_outlives_its_writers_and_a_log_that_comes_late_is_read() {
    let late = "connect = \"candump:@/fifo\"\nevery = \"200ms\"";
    let weir = gateway("bus-fifo", late);
    weir.await_log("not listening");
    assert_eq!(status(&weir)["listening"], false);
    let fifo = weir.folder.join("fifo");
    let mode = Mode::from_raw_mode(0o600);
    mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, mode, 0).unwrap();
    for (round, line) in LINES.iter().enumerate() {
        let mut writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        writer.write_all(line.as_bytes()).unwrap();
        drop(writer);
        await_messages(&weir, round + 1);
    }
    let found = messages(&weir);
    assert_eq!(found[0]["speed"], 80.0);
    assert_eq!(found[0]["timestamp"], 1_773_480_413.000_2);
    assert_eq!(found[2]["speed"], 81.0);
    assert_eq!(found[2]["door"], false);
    assert_eq!(status(&weir)["listening"], true);
}

#[test]
fn a_server_of_lines_is_connected_to_again() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let keys = format!("connect = \"127.0.0.1:{port}\"\nevery = \"1s\"");
    let weir = gateway("bus-tcp", &keys);
    for round in 1..=2 {
        let (mut peer, _) = server.accept().unwrap();
        peer.write_all(LINES[0].as_bytes()).unwrap();
        drop(peer);
        let found = await_messages(&weir, round);
        assert_eq!(found[round - 1]["speed"], 80.0);
        let time = found[round - 1]["timestamp"].as_f64().unwrap();
        assert!(
            time > 1_790_000_000.0,
            "it was measured when it came: {time}"
        );
    }
}

#[test]
fn an_interface_brings_frames_and_says_when_the_bus_is_off() {
    let keys = "connect = \"can:@/bus\"\nevery = \"200ms\"\nor_change = [\"door\"]";
    let weir = gateway("bus-frames", keys);
    weir.await_log("not listening");
    let listener = listener(&weir);
    for round in 1..=2 {
        let bus = accept(&listener).unwrap();
        let send = |id: u32, data: &[u8]| {
            rustix::io::write(&bus, &frame(id, data)).unwrap();
        };
        send(0x2000_0040, &[]);
        weir.await_log("bus-off");
        eventually("it is shown", || {
            let text = status(&weir)["listen_error"].to_string();
            text.contains("bus-off")
        });
        send(0x98FE_F127, &[0xFF, 0, 80]);
        send(0x201, &[0]);
        send(0x7FF, &[1, 2, 3]);
        eventually("a door that is shut", || {
            messages(&weir)
                .iter()
                .any(|message| message["door"] == false)
        });
        eventually("the bus is back", || status(&weir)["listening"] == true);
        send(0x201, &[8]);
        eventually("a door that is open", || {
            messages(&weir).last().unwrap()["door"] == true
        });
        assert_eq!(messages(&weir).last().unwrap()["speed"], 80.0);
        assert_eq!(status(&weir)["refused"]["bus error"], round);
    }
}

/// Kernels can be told to start a controller again that has left the bus, which it then leaves
/// again, ten times a second.
#[test]
fn a_bus_that_comes_and_goes_fills_no_log() {
    let weir = gateway("bus-flaps", "connect = \"can:@/bus\"\nevery = \"200ms\"");
    let bus = accept(listener(&weir)).unwrap();
    for _ in 0..100 {
        for (id, data) in [(0x2000_0040, 0), (0x201, 8)] {
            rustix::io::write(&bus, &frame(id, &[data])).unwrap();
        }
    }
    eventually("all is counted", || {
        status(&weir)["refused"]["bus error"] == 100
    });
    eventually("the bus is back", || status(&weir)["listening"] == true);
    let log = weir.log();
    for said in ["bus-off", "heard again"] {
        let lines = log.lines().filter(|line| line.contains(said)).count();
        assert!((1..20).contains(&lines), "{said}: {lines}");
    }
}

#[test]
fn what_is_told_only_when_it_is_asked_for_is_asked_for() {
    let weir = gateway(
        "bus-request",
        "connect = \"can:@/bus\"\nevery = \"200ms\"\nstandard = [\"j1939\"]\nrequest = [\"65253\"]",
    );
    let bus = accept(listener(&weir)).unwrap();
    let send = |id: u32, data: &[u8]| {
        rustix::io::write(&bus, &frame(id, data)).unwrap();
    };
    let mut asked = [0; 16];
    eventually("a request", || {
        // the speed of the engine
        send(0x8CF0_0400, &[0xFF, 0xFF, 0xFF, 0x40, 0x1F]);
        recv(&bus, &mut asked, RecvFlags::DONTWAIT).is_ok()
    });
    let mut expected = frame(0x98EA_FFF9, &[0xE5, 0xFE, 0]);
    expected[4] = 3;
    assert_eq!(asked[..], expected);
    send(0x98FE_E500, &[20, 0, 0, 0]);
    eventually("the hours", || {
        let found = messages(&weir);
        found.iter().any(|it| it["can.engine.motorhours"] == 1.0)
    });
}

/// What an interface is elsewhere.
fn listener(weir: &Weir) -> OwnedFd {
    let flags = SocketFlags::CLOEXEC;
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    let address = SocketAddrUnix::new(weir.folder.join("bus")).unwrap();
    bind(&listener, &address).unwrap();
    listen(&listener, 1).unwrap();
    listener
}

#[test]
fn check_says_what_is_wrong_with_a_bus() {
    let folder = Folder::new("bus-check");
    let table = |name, connect: &str| {
        let keys = "type = \"can\"\nident = \"truck\"\nstandard = [\"j1939\"]";
        format!("[[channel]]\nname = \"{name}\"\n{keys}\nconnect = \"{connect}\"\n")
    };
    let text = [
        table("none", "can:nocan9"),
        table("other", "can:lo"),
        table("log", "candump:/nowhere/can.log"),
    ];
    let path = folder.write("weir.toml", &text.concat());
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let told = command.arg("-c").arg(path).arg("check").output().unwrap();
    let said = String::from_utf8(told.stderr).unwrap() + &String::from_utf8(told.stdout).unwrap();
    for line in [
        "weir.toml:6:11: warning: there is no interface `nocan9`",
        "weir.toml:12:11: error: `lo` is no CAN interface",
        "weir.toml:18:11: warning: there is no `/nowhere/can.log`",
    ] {
        assert!(said.contains(line), "{line} in\n{said}");
    }
    assert_eq!(told.status.code(), Some(2));
}
