//! Channels of receivers, trackers and brokers: as in `session`, with the seeds of their formats.

use crate::session::connected;
use crate::session::one_datagram;
use crate::session::stream;
use std::rc::Rc;
use weir::channel::gpsd::Gpsd;
use weir::channel::mqtt;
use weir::channel::mqtt::Broker;
use weir::channel::mqtt::Subscriber;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Ships;
use weir::channel::nmea::Units;
use weir::channel::queclink;
use weir::channel::queclink::Queclink;
use weir::channel::wialon_ips;
use weir::channel::wialon_retranslator::WialonRetranslator;

/// The first byte says whether it is a datagram.
pub(crate) fn nmea(data: &[u8]) {
    let named = |units| Nmea::new(Some("a".to_owned()), units).of_ships(Ships::All);
    match data.split_first() {
        Some((0, datagram)) => one_datagram(datagram, named(Units::Datagram)),
        Some((1, rest)) => stream(rest, Nmea::new(None, Units::Bytes).of_ships(Ships::All)),
        Some((_, rest)) => stream(rest, named(Units::Bytes)),
        None => {}
    }
}

pub(crate) fn nmea_seeds() -> Vec<Vec<u8>> {
    let fix = [
        line("GPRMC,225446,A,4916.45,N,12311.12,W,000.5,054.7,191194,020.3,E"),
        line("GPGGA,225446,4916.45,N,12311.12,W,1,08,0.9,545.4,M,46.9,M,,"),
        line("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1"),
        line("GPVTG,054.7,T,034.4,M,005.5,N,010.2,K"),
        line("GNZDA,225446.50,19,11,2024,00,00"),
    ];
    let fix = fix.concat();
    vec![
        format!("\0{fix}").into(),
        format!("\x01\x08truck7{fix}").into(),
        format!("\x02\x40{fix}{fix}").into(),
        // ends of lines are lost, a router names itself, nobody tells a time
        format!("\x01\x40{}", fix.replace("\r\n", "")).into(),
        format!("\x01\x40{}IMEI 351467108700000\r\n{fix}", line("PCPTI,a,1")).into(),
        format!(
            "\x01\x40$IMEI=351467108700000\r\n{}",
            fix.replace("*", " * ")
        )
        .into(),
        format!("\x02\x40{}", line("GPRMC,,A,4916.45,N,12311.12,W,0,511,,,")).into(),
        format!("\0{}", ships()).into(),
        format!("\x01\x40{}{fix}", ships()).into(),
    ]
}

/// AIS of one part and of two, with TAG blocks.
fn ships() -> String {
    let sentences = [
        line("AIVDM,1,1,,A,12vg24@P1sUSvmopsplJVpMb0000,0"),
        line("AIVDO,1,1,,A,B2vg28@0;AHweMv>v=47gwPUh000,0"),
        line("AIVDM,2,1,3,A,52vg24@000004740000HU9=@00000000000000000000040Ht0000000,0"),
        line("AIVDM,2,2,3,A,000000000000000,2"),
        line("AIVDM,1,1,,A,H2vg28A<l4hj08t5B37L0000000,2"),
    ];
    let tag = line("g:1-1-17,c:1773480413");
    let tag = tag.trim_end().replace('$', "\\") + "\\";
    let sentences = sentences.map(|it| tag.clone() + &it.replace('$', "!"));
    sentences.concat()
}

/// A sentence with its check sum.
fn line(sentence: &str) -> String {
    let sum = sentence.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("${sentence}*{sum:02X}\r\n")
}

/// The first byte says whether it is a datagram, and whether lines are answered.
pub(crate) fn queclink(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    let keys = queclink::Keys {
        sack: first & 1 == 0,
        text: first & 4 != 0,
        message_type: first & 8 != 0,
    };
    match first & 2 {
        0 => stream(rest, Queclink::new(keys, queclink::Units::Bytes)),
        _ => one_datagram(rest, Queclink::new(keys, queclink::Units::Datagram)),
    }
}

pub(crate) fn queclink_seeds() -> Vec<Vec<u8>> {
    let head = "250504,990000123456784,gv,27450,10,1";
    let place = "1,63.2,178,35.4,77.765432,-12.345679,20260314092653";
    let cell = "0901,0070,1234,0ABCDE,00";
    let tail = "12.7,00123:45:06,0000,,,98,220100,,,,20260314092655,0017$";
    let lines = [
        format!("+RESP:GTFRI,{head},{place},{cell},{tail}"),
        format!("+BUFF:GTFRI,{head},{place},{cell},0,,,,,,,{cell},87,20260314092655,0018$"),
        format!("+RESP:GTIGN,{head},{place},{cell},1.5,20260314092655,0019$"),
        "+ACK:GTHBD,250504,990000123456784,gv,20260314092653,0026$".to_owned(),
    ];
    let all = lines.concat();
    let seeds = ["\0\x40", "\x01\x08", "\x02", "\x04\x40"];
    seeds.map(|seed| format!("{seed}{all}").into()).into()
}

/// The first byte says whether one receiver is chosen.
pub(crate) fn gpsd(data: &[u8]) {
    match data.split_first() {
        Some((0, rest)) => connected(rest, Gpsd::new("a", Some("/dev/a"))),
        Some((_, rest)) => connected(rest, Gpsd::new("a", None)),
        None => {}
    }
}

pub(crate) fn gpsd_seeds() -> Vec<Vec<u8>> {
    let version = "{\"class\":\"VERSION\",\"release\":\"3.22\",\"proto_major\":3}\r\n";
    let fix = "{\"class\":\"TPV\",\"device\":\"/dev/a\",\"mode\":3,\"lat\":46.5,\"lon\":7.6,\
               \"time\":\"2024-05-06T07:08:09.000Z\",\"altMSL\":1343.1,\"speed\":1.5}\r\n";
    let sky = "{\"class\":\"SKY\",\"device\":\"/dev/a\",\"hdop\":1.2,\"uSat\":9}\r\n";
    let raw = "{\"class\":\"RAW\",\"device\":\"/dev/b\",\"time\":1795971956,\"rawdata\":[]}\r\n";
    let untimed = fix.replace(",\"time\":\"2024-05-06T07:08:09.000Z\"", "");
    let other = fix.replace("/dev/a", "/dev/b");
    let devices = "{\"class\":\"DEVICES\",\"devices\":[{\"path\":\"/dev/b\"}]}\r\n";
    vec![
        format!("\x01\x30{version}{sky}{fix}").into(),
        format!("\x01\x30{raw}{fix}{other}{sky}{untimed}").into(),
        format!("\0\x30{devices}{other}{fix}{untimed}{{\"class\":7}}\r\n").into(),
    ]
}

/// The first byte says whether it is a datagram.
pub(crate) fn wialon_ips(data: &[u8]) {
    match data.split_first() {
        Some((0, datagram)) => one_datagram(datagram, wialon_ips::Udp::new(None)),
        Some((1, rest)) => stream(rest, wialon_ips::Tcp::new(Some(Rc::from("secret")))),
        Some((_, rest)) => stream(rest, wialon_ips::Tcp::new(None)),
        None => {}
    }
}

pub(crate) fn wialon_ips_seeds() -> Vec<Vec<u8>> {
    let login = "#L#352093081452251;NA\r\n";
    let full = "060524;070809;5355.09260;N;02732.40990;E;10;90;300;7;1.1;0;0;;NA;a:1:7,b:3:x";
    let short = "060524;070809;5355.09260;N;02732.40990;E;10;90;300;7";
    vec![
        format!("\x02\x40{login}#D#{full}\r\n#SD#{short}\r\n#P#\r\n#M#text\r\n").into(),
        format!("\x02\x40{login}#B#{short}|{short}\r\n#I#3;0;0;060524;070809;a.jpg\r\nabc").into(),
        format!("\x02\x40#L#2.0;352093081452251;NA;BB2B\r\n#P#\r\n#D#{full};0000\r\n").into(),
        format!("\x01\x40#L#352093081452251;secret\r\n#SD#{short}\r\n").into(),
        format!("\0352093081452251#SD#{short}\r\n").into(),
    ]
}

pub(crate) fn wialon_in(data: &[u8]) {
    stream(data, WialonRetranslator::new());
}

pub(crate) fn wialon_in_seeds() -> Vec<Vec<u8>> {
    let packets = crate::formats::retranslator_seeds();
    let behind_a_size = |packet: Vec<u8>| [vec![0x20], packet].concat();
    packets.into_iter().map(behind_a_size).collect()
}

/// Devices that publish, in both versions: their first packet says which.
pub(crate) fn mqtt_in(data: &[u8]) {
    stream(data, Broker::new(Rc::new(mqtt::Settings::default())));
}

pub(crate) fn mqtt_in_seeds() -> Vec<Vec<u8>> {
    let connect = b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x01c";
    let connect_5 = b"\x10\x0e\0\x04MQTT\x05\x02\0\x3c\0\0\x01c";
    let publish = b"\x32\x13\0\x01a\0\x01{\"ident\":\"a\"}\xc0\0";
    let publish_5 = b"\x32\x14\0\x01a\0\x01\0{\"ident\":\"a\"}\xc0\0";
    let subscribe = b"\x82\x06\0\x02\0\x01#\0";
    vec![
        [&[0x10], &connect[..], publish, subscribe, b"\xe0\0"].concat(),
        [&[0x10], &connect_5[..], publish_5, b"\xe0\0"].concat(),
    ]
}

/// What a broker could say to the one that subscribes.
pub(crate) fn mqtt_connect(data: &[u8]) {
    let settings = mqtt::Settings {
        ident: Some("a".to_owned()),
        ..mqtt::Settings::default()
    };
    connected(data, Subscriber::new(Rc::new(settings), "c"));
}

pub(crate) fn mqtt_connect_seeds() -> Vec<Vec<u8>> {
    let publish = b"\x32\x0a\0\x03a/n\0\x0117";
    vec![
        [
            &[0x10],
            &b"\x20\x02\0\0\x90\x03\0\x01\x01"[..],
            publish,
            b"\xd0\0",
        ]
        .concat(),
    ]
}
