//! What broken packets get: the table of the channel's documentation, line by line.

use crate::SHORT;
use crate::generator::compressed;
use crate::generator::sealed;
use crate::say;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::text;
use weir::channel::InputError;
use weir::channel::InputError::Checksum;
use weir::channel::InputError::Ident;
use weir::channel::InputError::Length;
use weir::channel::InputError::Syntax;
use weir::channel::InputError::Unsupported;
use weir::channel::InputError::Value;
use weir::channel::wialon_ips::Charset;
use weir::channel::wialon_ips::Tcp;
use weir::message::ValueRef;

/// An `SD` with another field.
fn short(at: usize, text: &str) -> String {
    let mut fields: Vec<&str> = SHORT.split(';').collect();
    fields[at] = text;
    format!("#SD#{}", fields.join(";"))
}

/// A `D` with these fields behind those of an `SD`.
fn data(extended: &str) -> String {
    format!("#D#{SHORT};{extended}")
}

#[test]
fn each_broken_packet_gets_its_code_and_the_connection_stays() {
    let cases: Vec<(&str, String, &str, InputError)> = vec![
        (
            "a field less",
            "#SD#270413;205601".into(),
            "#ASD#-1",
            Syntax,
        ),
        ("a field more", format!("#SD#{SHORT};5"), "#ASD#-1", Syntax),
        ("twice", format!("#SD#{SHORT};{SHORT}"), "#ASD#-1", Syntax),
        ("nothing", "#SD#".into(), "#ASD#-1", Syntax),
        ("short as long", format!("#D#{SHORT}"), "#AD#-1", Syntax),
        (
            "long as short",
            data("1;0;0;;NA;").replace("#D#", "#SD#"),
            "#ASD#-1",
            Syntax,
        ),
        ("date", short(0, "320413"), "#ASD#0", Value),
        ("time", short(1, "256060"), "#ASD#0", Value),
        ("date alone", short(1, "NA"), "#ASD#0", Value),
        ("latitude", short(2, "9000.1"), "#ASD#10", Value),
        ("minutes", short(2, "5560.0"), "#ASD#10", Value),
        ("side", short(3, "E"), "#ASD#10", Value),
        ("longitude", short(4, "18000.1"), "#ASD#10", Value),
        ("latitude alone", short(4, "NA"), "#ASD#10", Value),
        ("speed", short(6, "-1"), "#ASD#11", Value),
        ("course", short(7, "361"), "#ASD#11", Value),
        ("altitude", short(8, "high"), "#ASD#11", Value),
        ("satellites", short(9, "many"), "#ASD#12", Value),
        ("hdop", data("x;0;0;;NA;"), "#AD#12", Value),
        ("inputs", data("1;x;0;;NA;"), "#AD#13", Value),
        ("outputs", data("1;0;1.5;;NA;"), "#AD#13", Value),
        ("adc", data("1;0;0;1,x;NA;"), "#AD#14", Value),
        ("no words", "#M#".into(), "#AM#0", Value),
        ("box", "#B#x".into(), "#AB#0", Syntax),
    ];
    for (name, line, answer, reason) in cases {
        let mut device = crate::tcp("1.1");
        assert_eq!(say(&mut device, &line), format!("{answer}\r\n"), "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert_eq!((device.intake.taken.len(), &device.closed), (0, &None));
        say(&mut device, &format!("#SD#{SHORT}"));
        assert_eq!(text(device.make_safe()), "#ASD#1\r\n", "{name}");
    }
}

#[test]
fn a_wrong_checksum_has_a_code_of_its_own_for_each_type() {
    let data = format!("{SHORT};1;0;0;;NA;");
    let boxed = format!("{SHORT}|{SHORT}");
    let cases = [
        ("SD", SHORT, ';', "#ASD#13\r\n"),
        ("D", &data, ';', "#AD#16\r\n"),
        ("B", &boxed, '|', "#AB#\r\n"),
        ("M", "hello", ';', "#AM#01\r\n"),
    ];
    for (kind, body, mark, answer) in cases {
        let good = sealed(kind, body, mark);
        let cut = good[..good.len() - 5].to_owned();
        let changed = good.replacen('1', "2", 1).replacen("hello", "hallo", 1);
        for line in [changed, cut, format!("#{kind}#{body}")] {
            let mut device = crate::tcp("2.0");
            assert_eq!(say(&mut device, &line), answer, "{line}");
            assert_eq!(device.intake.malformed, [Checksum], "{line}");
            assert_eq!(say(&mut device, &good), "");
            assert!(device.make_safe().starts_with(b"#A"), "{line}");
        }
    }
}

#[test]
fn each_broken_login_gets_what_the_table_says() {
    let long = format!("#L#{};NA", "1".repeat(65));
    let cases: [(&str, String, &str, &[InputError]); 9] = [
        ("no password", "#L#86246".into(), "#AL#0\r\n", &[Syntax]),
        (
            "version",
            sealed("L", "3.0;86246;NA", ';'),
            "#AL#0\r\n",
            &[Syntax],
        ),
        ("fields", "#L#1.1;86246;NA".into(), "#AL#0\r\n", &[Syntax]),
        ("no ident", "#L#;NA".into(), "#AL#0\r\n", &[Ident]),
        ("for a topic", "#L#a/+;NA".into(), "#AL#0\r\n", &[Ident]),
        ("too long", long, "#AL#0\r\n", &[Ident]),
        ("none", format!("#SD#{SHORT}"), "", &[Syntax]),
        (
            "endless",
            "#L#".to_owned() + &"1".repeat(2000),
            "",
            &[Length],
        ),
        ("no type", "#L".into(), "", &[Syntax]),
    ];
    for (name, line, answer, reasons) in cases {
        let mut device = Connection::new(Tcp::new(None));
        assert_eq!(say(&mut device, &line), answer, "{name}");
        assert_eq!(device.intake.malformed, reasons, "{name}");
        assert!(device.closed.is_some(), "{name}");
    }
    let mut device = Connection::new(Tcp::new(None));
    assert_eq!(say(&mut device, "#L#2.0;imei;NA;A933"), "#AL#10\r\n");
    assert_eq!((device.intake.malformed.len(), &device.closed), (1, &None));
    assert_eq!(say(&mut device, "#L#2.0;imei;NA;A932"), "#AL#1\r\n");
}

#[test]
fn what_is_no_packet_ends_the_connection() {
    let endless = [b"#SD#", &b"1;".repeat(40_000)[..]].concat();
    let endless_box = [b"#B#", &b"1;".repeat(600_000)[..]].concat();
    let bomb = compressed(&vec![b'#'; 3 << 20]);
    assert!(bomb.len() < 8000, "{}", bomb.len());
    let cases: Vec<(&str, Vec<u8>, InputError)> = vec![
        ("HTTP", b"GET / HTTP/1.1\r\n".to_vec(), Syntax),
        ("TLS", vec![0x16, 3, 1, 2, 0], Syntax),
        ("Teltonika", b"\x00\x0f356307042441013".to_vec(), Syntax),
        ("Retranslator", vec![0x74, 0, 0, 0], Syntax),
        ("endless", endless, Length),
        ("endless box", endless_box, Length),
        ("prefix of a datagram", b"#\r\n".to_vec(), Syntax),
        ("no zlib", vec![0xFF, 2, 0, 1, 2], Syntax),
        ("empty zlib", vec![0xFF, 0, 0], Syntax),
        ("too much in it", bomb, Syntax),
        ("photo without a size", b"#I#x;0;1\r\n".to_vec(), Length),
        ("photo of 4 GB", b"#I#4294967295;0;1\r\n".to_vec(), Length),
        ("file without a size", b"#T#\r\n".to_vec(), Length),
    ];
    for (name, bytes, reason) in cases {
        let mut device = crate::tcp("1.1");
        assert_eq!(device.send(&bytes), SILENCE, "{name}");
        assert_eq!(device.make_safe(), SILENCE, "{name}");
        assert_eq!(device.intake.malformed, [reason], "{name}");
        assert!(device.closed.is_some(), "{name}");
    }
}

#[test]
fn what_is_missing_is_waited_for() {
    let whole = compressed(format!("#SD#{SHORT}").as_bytes());
    for cut in 0..whole.len() {
        let mut device = crate::tcp("1.1");
        device.send(&whole[..cut]);
        assert_eq!((device.unused(), &device.closed), (cut, &None));
        device.send(&whole[cut..]);
        assert_eq!(device.intake.taken.len(), 1);
    }
}

#[test]
fn each_broken_datagram_is_counted() {
    let cases: [(&str, Vec<u8>, &str, InputError); 9] = [
        ("no ident", format!("#SD#{SHORT}").into(), "", Ident),
        ("version", format!("3.0;1#SD#{SHORT}").into(), "", Syntax),
        ("no type", b"86246".to_vec(), "", Syntax),
        ("login", b"86246#L#86246;NA".to_vec(), "", Unsupported),
        ("photo", b"86246#I#4;0;1\r\nabcd".to_vec(), "", Unsupported),
        ("nothing", b"".to_vec(), "", Syntax),
        ("cut zlib", vec![0xFF, 200, 0, 1, 2], "", Syntax),
        ("structure", b"86246#SD#1".to_vec(), "#ASD#-1\r\n", Syntax),
        (
            "checksum",
            format!("2.0;1#SD#{SHORT};1").into(),
            "#ASD#13\r\n",
            Checksum,
        ),
    ];
    for (name, bytes, answer, reason) in cases {
        let mut socket = crate::udp();
        assert_eq!(text(socket.send_datagram(&bytes)), answer, "{name}");
        assert_eq!(socket.intake.malformed, [reason], "{name}");
        assert_eq!(socket.make_safe(), SILENCE, "{name}");
        assert_eq!(socket.intake.taken, [], "{name}");
    }
}

/// What is refused for one odd parameter, the device sends for ever.
#[test]
fn an_odd_parameter_costs_itself_and_not_the_position() {
    let cases: [(&str, &[(&str, ValueRef<'_>)]); 10] = [
        ("foo", &[]),
        ("a:1", &[]),
        ("a:4:1", &[]),
        (":1:1", &[]),
        ("a:1:x", &[]),
        ("\u{7}:1:1", &[]),
        (
            "a:1:1,foo,b:1:2",
            &[("a", ValueRef::U64(1)), ("b", ValueRef::U64(2))],
        ),
        (
            "text:3:Hello, world",
            &[("text", ValueRef::Text("Hello, world"))],
        ),
        (
            "text:3:a,,b,c:1:2,d",
            &[("text", ValueRef::Text("a,,b")), ("c", ValueRef::U64(2))],
        ),
        ("a:4:b,c", &[]),
    ];
    for (written, expected) in cases {
        let mut device = crate::tcp("1.1");
        say(&mut device, &data(&format!("1;0;0;;NA;{written}")));
        assert_eq!(text(device.make_safe()), "#AD#1\r\n", "{written}");
        let message = &device.intake.taken[0];
        assert!(message.has("position.latitude"), "{written}");
        let known = ["position.hdop", "din", "dout"];
        let behind = message.fields().skip_while(|(name, _)| *name != known[2]);
        let found: Vec<_> = behind.skip(1).collect();
        assert_eq!(found, expected, "{written}");
    }
}

#[test]
fn more_parameters_than_are_kept_are_left_out() {
    let parameters: Vec<_> = (0..513).map(|number| format!("p{number}:1:1")).collect();
    let mut device = crate::tcp("1.1");
    let line = format!("#D#{SHORT};;;;;;{}", parameters.join(","));
    say(&mut device, &line);
    assert_eq!(text(device.make_safe()), "#AD#1\r\n");
    let message = &device.intake.taken[0];
    assert!(message.has("p511") && !message.has("p512"));
}

#[test]
fn without_a_satellite_there_is_no_fix() {
    for (satellites, valid) in [("0", false), ("NA", true), ("", true), ("1", true)] {
        let mut device = crate::tcp("1.1");
        let body = short(9, satellites);
        say(&mut device, &body);
        let message = &device.intake.taken[0];
        assert_eq!(
            message.get("position.valid"),
            Some(ValueRef::Bool(valid)),
            "{body}"
        );
        assert_eq!(message.has("position.latitude"), valid, "{body}");
    }
}

/// It was acknowledged with its letters replaced by question marks.
#[test]
fn text_that_is_not_utf_8_is_not_lost() {
    let line = b"#M#\xcf\xf0\xe8\xe2\xe5\xf2\r\n";
    for (charset, expected) in [
        ("utf-8", "\u{cf}\u{f0}\u{e8}\u{e2}\u{e5}\u{f2}"),
        ("windows-1251", "Привет"),
    ] {
        let session = Tcp::new(None).with_charset(Charset::named(charset).unwrap());
        let mut device = Connection::new(session);
        say(&mut device, "#L#86246;NA");
        device.send(line);
        let message = &device.intake.taken[0];
        assert_eq!(message.get("text"), Some(expected.into()), "{charset}");
    }
}
