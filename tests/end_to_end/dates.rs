//! Dates that are none, from receivers of every kind, through the whole daemon to a file.

use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value as Json;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

#[test]
fn a_power_on_date_is_no_time_of_measurement_in_any_protocol() {
    let ports = [(); 6].map(|()| free_port());
    let gpsd = TcpListener::bind("127.0.0.1:0").unwrap();
    let weir = Weir::start("dates", &config(ports, gpsd.local_addr().unwrap().port()));
    let _open: Vec<_> = ports.into_iter().zip(said()).map(say).collect();
    let (mut watcher, _) = gpsd.accept().unwrap();
    watcher.read_exact(&mut [0; 8]).unwrap();
    let tpv = r#"{"class":"TPV","time":"1980-01-06T00:00:03.000Z","mode":3,"lat":54.7,"lon":25.3}"#;
    writeln!(watcher, "{tpv}").unwrap();
    let out = weir.folder.join("out.jsonl");
    let arrived = || std::fs::read_to_string(&out).unwrap_or_default();
    eventually("all seven arrive", || arrived().lines().count() == 7);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    for line in arrived().lines() {
        let message: Json = serde_json::from_str(line).unwrap();
        let measured = Duration::from_secs_f64(message["timestamp"].as_f64().unwrap());
        assert!(now.abs_diff(measured) < Duration::from_secs(60), "{line}");
        assert_eq!(message["timestamp"], message["server.timestamp"], "{line}");
    }
}

fn config(ports: [u16; 6], gpsd: u16) -> String {
    let types = [
        "nmea",
        "wialon-ips",
        "wialon-retranslator",
        "osmand",
        "json",
        "teltonika",
    ];
    let channels = types.iter().zip(ports).map(|(name, port)| {
        let ident = if *name == "nmea" {
            "ident = \"a\"\n"
        } else {
            ""
        };
        format!(
            "[[channel]]\nname = \"{name}\"\ntype = \"{name}\"\n\
             listen = \"127.0.0.1:{port}\"\n{ident}"
        )
    });
    let channels: String = channels.collect();
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n{channels}\
         [[channel]]\nname = \"gpsd\"\ntype = \"gpsd\"\nident = \"gpsd\"\n\
         connect = \"127.0.0.1:{gpsd}\"\n\
         [[stream]]\nname = \"disk\"\ntype = \"file\"\npath = \"@/out.jsonl\"\n\
         channels = [\"*\"]\n"
    )
}

/// What devices say that believe it to be 1980 or 1970, in the order of the ports.
fn said() -> [Vec<u8>; 6] {
    [
        b"$GPRMC,000003,A,5441.2320,N,02516.7820,E,0.0,0.0,060180,,,A*76\r\n".to_vec(),
        b"#L#imei;NA\r\n#SD#060180;000003;5441.2320;N;02516.7820;E;0;0;100;7\r\n".to_vec(),
        retranslated(315_964_803),
        b"GET /?id=a&lat=54.7&lon=25.3&timestamp=3 HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
        b"{\"ident\":\"p\",\"timestamp\":\"1980-01-06T00:00:03Z\"}\n".to_vec(),
        [&b"\0\x03356"[..], &codec8(315_964_803_000)].concat(),
    ]
}

fn say((port, bytes): (u16, Vec<u8>)) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.write_all(&bytes).unwrap();
    socket
}

/// A packet of a unit with nothing in it but a time.
fn retranslated(seconds: u32) -> Vec<u8> {
    let body = [&b"unit\0"[..], &seconds.to_be_bytes(), &[0; 4]].concat();
    let len = u32::try_from(body.len()).unwrap();
    [&len.to_le_bytes()[..], &body].concat()
}

/// A packet of one record without elements.
fn codec8(millis: u64) -> Vec<u8> {
    let mut data = vec![8, 1];
    data.extend(millis.to_be_bytes());
    data.extend([0; 22]);
    data.push(1);
    let mut sum = 0_u16;
    for byte in &data {
        sum ^= u16::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0xA001 } else { 0 };
        }
    }
    let len = u32::try_from(data.len()).unwrap();
    [
        &[0; 4],
        &len.to_be_bytes()[..],
        &data,
        &u32::from(sum).to_be_bytes(),
    ]
    .concat()
}
