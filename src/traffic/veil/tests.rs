use super::*;
use crate::traffic::Secrets;
use miniz_oxide::deflate::compress_to_vec_zlib;

const SECRET: &str = "Hush/0h+Hush";

/// As it is shown when it comes in one piece.
fn whole(bytes: &[u8]) -> Vec<u8> {
    Veil::default().shown(&Forms::default(), bytes, 0)
}

/// As it is shown when it comes cut in pieces of so many bytes, of which none is understood yet.
fn cut(bytes: &[u8], len: usize) -> Vec<u8> {
    let (mut veil, mut shown, mut at) = (Veil::default(), Vec::new(), 0);
    for piece in bytes.chunks(len) {
        let unit = &bytes[..at + piece.len()];
        shown.extend(veil.shown(&Forms::default(), unit, at));
        at += piece.len();
    }
    shown
}

fn leaks(shown: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(shown);
    shown.contains("Hush") || shown.contains("0h")
}

fn connect(level: u8, flags: u8, properties: &[u8], fields: &[&str]) -> Vec<u8> {
    let mut body = b"\0\x04MQTT".to_vec();
    body.extend([level, flags, 0, 60]);
    body.extend_from_slice(properties);
    for field in fields {
        body.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        body.extend_from_slice(field.as_bytes());
    }
    let mut packet = vec![0x10, u8::try_from(body.len()).unwrap()];
    packet.extend(body);
    packet
}

fn start_ok() -> Vec<u8> {
    let response = format!("\0user\0{SECRET}");
    let mut payload = b"\0\x0a\0\x0b\0\0\0\x05\x01aS\0\0\x05PLAIN".to_vec();
    payload.extend(u32::try_from(response.len()).unwrap().to_be_bytes());
    payload.extend_from_slice(response.as_bytes());
    payload.extend_from_slice(b"\x05en_US");
    let mut frame = b"\x01\0\0".to_vec();
    frame.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    frame.extend(payload);
    frame.push(0xCE);
    frame
}

fn compressed(line: &str) -> Vec<u8> {
    let data = compress_to_vec_zlib(line.as_bytes(), 6);
    let mut unit = vec![0xFF];
    unit.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
    unit.extend(data);
    unit
}

/// Secrets that nobody here knows, each in its own place.
fn strange() -> Vec<(&'static str, Vec<u8>)> {
    let text = |name, text: &str| (name, text.replace("SECRET", SECRET).into_bytes());
    let props = format!("\x12\x15\0\x01m\x16\0\x0c{SECRET}");
    vec![
        text(
            "basic",
            "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic SECRET\r\n\r\n",
        ),
        text(
            "other scheme",
            "GET / HTTP/1.1\r\nauthorization:SECRET SECRET\r\n\r\n",
        ),
        text(
            "header",
            "POST / HTTP/1.1\r\nX-Api-Key: SECRET\r\nContent-Length: 0\r\n\r\n",
        ),
        text(
            "cookie",
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=SECRET; Path=/\r\n\r\n",
        ),
        text(
            "query",
            "GET /in?id=352&token=SECRET&lat=1 HTTP/1.1\r\n\r\n",
        ),
        text(
            "signature",
            "Authorization: SharedAccessSignature sr=a&sig=SECRET&se=1\r\n\r\n",
        ),
        text("form", "\r\ngrant_type=x&assertion=SECRET&a=b"),
        text(
            "member",
            "{\"ident\":\"1\",\"access_token\" : \"SECRET\\\"SECRET\",\"b\":1}",
        ),
        text(
            "in a string",
            "{\"body\":\"{\\\"password\\\":\\\"SECRET\\\",\\\"a\\\":1}\"}",
        ),
        text("list", "{\"tokens\":[\"SECRET\",\"SECRET\"],\"b\":1}"),
        text("quoted pair", "a; password=\"SECRET SECRET\"; b"),
        text("jwt", "{\"a\":\"eyJhbGciOiJ9.eyJzdWIiOiJ9.SECRET\"}"),
        text("ips 1.1", "#L#352093081452251;SECRET\r\n#P#\r\n"),
        text("ips 2.0", "#L#2.0;352093081452251;SECRET;1A2B\r\n"),
        text("gpsgate", "$FRLIN,,user,SECRET*4F\r\n"),
        ("mqtt", connect(4, 0xC2, b"", &["id", SECRET, SECRET])),
        (
            "mqtt will",
            connect(4, 0xC6, b"", &["id", "topic", "gone", SECRET, SECRET]),
        ),
        (
            "mqtt 5",
            connect(5, 0xC2, b"\x05\x11\0\0\0\x3c", &["id", SECRET, SECRET]),
        ),
        ("mqtt 5 data", connect(5, 0x02, props.as_bytes(), &["id"])),
        ("mqtt no flag", connect(4, 0x02, b"", &["id", SECRET])),
        ("mqtt long", connect(4, 0x02, b"\xff\xff", &[SECRET])),
        ("amqp", start_ok()),
        (
            "compressed",
            compressed(&format!("#L#2.0;1;{SECRET};1A2B\r\n")),
        ),
    ]
}

#[test]
fn the_secret_of_a_stranger_is_hidden_in_its_place_however_it_is_cut() {
    for (name, bytes) in strange() {
        let shown = whole(&bytes);
        assert!(
            !leaks(&shown),
            "{name}: {}",
            String::from_utf8_lossy(&shown)
        );
        assert_eq!(shown.len(), bytes.len(), "{name}");
        assert!(shown.contains(&b'*'), "{name}");
        for len in 1..bytes.len() {
            let shown = cut(&bytes, len);
            let text = String::from_utf8_lossy(&shown);
            let tail = shown.split(|byte| *byte == b'*');
            assert!(!leaks(&shown), "{name} in pieces of {len}: {text}");
            assert!(tail.map(<[u8]>::len).sum::<usize>() < bytes.len());
        }
    }
}

#[test]
fn what_stands_around_a_secret_is_shown() {
    let shown = |text: &str| {
        let bytes = text.replace("SECRET", SECRET).into_bytes();
        String::from_utf8(whole(&bytes)).unwrap()
    };
    let stars = "*".repeat(SECRET.len());
    for (bytes, wanted) in [
        (
            "GET /a?token=SECRET&id=1 H\r\n",
            format!("GET /a?token={stars}&id=1 H\r\n"),
        ),
        (
            "A: b\r\nAuthorization: Basic SECRET\r\nC: d",
            format!("A: b\r\nAuthorization: Basic {stars}\r\nC: d"),
        ),
        (
            "{\"password\":\"SECRET\",\"a\":1}",
            format!("{{\"password\":\"{stars}\",\"a\":1}}"),
        ),
        (
            "{\"a\":{\"pwd\":1234},\"b\":2}",
            "{\"a\":{\"pwd\":****},\"b\":2}".to_owned(),
        ),
        (
            "a http://me:p@word@host/b@c",
            "a http://*********@host/b@c".to_owned(),
        ),
        ("#L#352;SECRET\r\n#P#", format!("#L#352;{stars}\r\n#P#")),
    ] {
        assert_eq!(shown(bytes), wanted);
    }
    let packet = whole(&connect(4, 0xC2, b"", &["id", "user", "word"]));
    assert_eq!(
        &packet[..16],
        &connect(4, 0xC2, b"", &["id", "user", "word"])[..16]
    );
    assert_eq!(&packet[16..], b"\0\x04****\0\x04****");
}

#[test]
fn what_is_no_secret_is_shown_as_it_is() {
    for text in [
        "{\"ident\":\"352\",\"passengers\":3,\"ibutton.code\":\"ff\",\"driver.key\":\"a\"}",
        "$GPRMC,120523.65,A,4748.0000,N,03530.0000,E,0,0,170109,,*1C\r\n",
        "GET /?id=352&lat=1.5&lon=2&speed=3 HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "#SD#170109;120523;4748.0,N;03530.0;E;0;0;0;4\r\n",
        "{\"data\":\"eyJpZGVudCI6IjM1MiJ9\"}",
        "basic needs and bearer of news",
        "http://127.0.0.1:8080/a",
    ] {
        assert_eq!(String::from_utf8_lossy(&whole(text.as_bytes())), text);
    }
    let line = compressed("#SD#170109;120523;4748.0,N;03530.0;E;0;0;0;4\r\n");
    assert_eq!(whole(&line), line);
}

#[test]
fn a_known_secret_is_hidden_wherever_it_is_cut() {
    let forms = Secrets::new(vec![SECRET.repeat(40)]).forms();
    let bytes = format!("telemetry/{}/end", SECRET.repeat(40)).into_bytes();
    for at in 1..bytes.len() {
        let mut veil = Veil::default();
        // the first piece is understood and gone when the second comes
        let first = veil.shown(&forms, &bytes[..at], 0);
        let second = veil.shown(&forms, &bytes[at..], 0);
        let shown = [first, second].concat();
        let text = String::from_utf8_lossy(&shown);
        let clear = text.replace('*', "");
        assert!(clear.len() <= "telemetry//end".len() + 1, "{at}: {text}");
        assert!(
            text.ends_with("/end") || at > bytes.len() - 4,
            "{at}: {text}"
        );
    }
}

#[test]
fn who_begins_to_look_in_the_middle_sees_no_secret() {
    for (name, bytes) in strange() {
        for from in 1..bytes.len() {
            let shown = Veil::default().shown(&Forms::default(), &bytes, from);
            let shown = String::from_utf8_lossy(&shown).into_owned();
            assert!(!shown.contains("Hush"), "{name} from {from}: {shown}");
        }
    }
}
