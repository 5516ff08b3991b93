//! curl as a phone and as a program: through the whole daemon to mosquitto.

use crate::servers::Mosquitto;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value as Json;
use std::process::Command;
use std::thread;

struct Gateway {
    phones: u16,
    programs: u16,
    broker: Mosquitto,
    weir: Weir,
}

impl Gateway {
    fn start(name: &str) -> Self {
        let (broker, [phones, programs]) = (Mosquitto::start(), [free_port(), free_port()]);
        let config = format!(
            "[ring]\nfile = \"@/ring\"\nsize = \"8 MiB\"\n\
             [api]\nlisten = \"off\"\n\
             [[channel]]\nname = \"phones\"\ntype = \"osmand\"\nidents = [\"phone-*\", \"4824*\"]\n\
             listen = [\"127.0.0.1:{phones}\", \"unix:@/phones\"]\nspeed_unit = \"m/s\"\n\
             [[channel]]\nname = \"programs\"\ntype = \"http\"\ntoken = \"s3cret\"\n\
             listen = \"127.0.0.1:{programs}\"\n\
             [[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nchannels = [\"*\"]\n\
             url = \"mqtt://127.0.0.1:{}\"\ntopic = \"weir/{{ident}}\"\n",
            broker.port
        );
        Self {
            phones,
            programs,
            broker,
            weir: Weir::start(name, &config),
        }
    }

    fn phones(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}/{rest}", self.phones)
    }

    fn programs(&self, rest: &str) -> String {
        format!("http://127.0.0.1:{}/{rest}", self.programs)
    }

    /// What arrived, as JSON, in order, once there are so many.
    fn messages(&self, count: usize) -> Vec<Json> {
        eventually("all arrive", || self.broker.received().len() >= count);
        let received = self.broker.received();
        assert_eq!(received.len(), count);
        let message = |(topic, payload): &(String, String)| {
            let message: Json = serde_json::from_str(payload).unwrap();
            assert_eq!(message["ident"], topic["weir/".len()..]);
            message
        };
        received.iter().map(message).collect()
    }
}

/// The code of the answer, and its content.
fn curl(arguments: &[&str]) -> (u16, Json) {
    let always = ["-sS", "--max-time", "60", "-w", "\n%{http_code}"];
    let done = Command::new("curl").args(always).args(arguments).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{done:?}");
    let said = String::from_utf8(done.stdout).unwrap();
    let (content, code) = said.rsplit_once('\n').unwrap();
    (
        code.parse().unwrap(),
        serde_json::from_str(content).unwrap(),
    )
}

fn accepted(count: u64) -> (u16, Json) {
    (200, serde_json::json!({ "accepted": count }))
}

const JSON: &str = "Content-Type: application/json";

#[test]
fn positions_arrive_by_query_form_and_json() {
    let gateway = Gateway::start("curl-phones");
    let query = gateway.phones("?id=phone-1&lat=54.6872&lon=25.2797&timestamp=1763900000&speed=10");
    assert_eq!(curl(&[&query]), accepted(1));
    assert_eq!(curl(&["-X", "POST", &query]), accepted(1));
    let form = [
        "-d",
        "id=phone-2&batt=87",
        "--data-urlencode",
        "note=a & b +",
    ];
    let anywhere = gateway.phones("any/path");
    assert_eq!(curl(&[&form[..], &[&anywhere]].concat()), accepted(1));
    // as Traccar Client sends it, here in chunks, over the Unix socket
    let socket = gateway.weir.folder.join("phones");
    let json = [
        "-H",
        JSON,
        "-H",
        "Transfer-Encoding: chunked",
        "-d",
        TRACCAR,
    ];
    let by_socket = ["--unix-socket", socket.to_str().unwrap(), "http://gateway/"];
    assert_eq!(curl(&[&json[..], &by_socket].concat()), accepted(1));
    let messages = gateway.messages(4);
    assert_eq!(messages[0]["timestamp"], 1_763_900_000);
    assert_eq!(messages[0]["position.latitude"], 54.6872);
    assert_eq!(messages[0]["position.speed"], 36.0);
    assert_eq!(messages[0]["protocol.name"], "osmand");
    assert_eq!(messages[0]["channel.name"], "phones");
    assert_eq!(messages[1]["position.longitude"], 25.2797);
    assert_eq!(messages[2]["battery.level"], 87.0);
    assert_eq!(messages[2]["note"], "a & b +");
    assert_eq!(messages[3]["ident"], "48241179");
    assert_eq!(messages[3]["battery.level"], 100.0);
    assert_eq!(messages[3]["timestamp"], 1_749_995_112.862);
}

#[test]
fn posts_arrive_whole_or_not_at_all() {
    let gateway = Gateway::start("curl-programs");
    let (to, token) = (gateway.programs(""), "Authorization: Bearer s3cret");
    let post = |body: &str| curl(&["-H", JSON, "-H", token, "-d", body, &to]);
    assert_eq!(post(r#"{"ident":"a","n":1}"#), accepted(1));
    assert_eq!(post(r#"[{"ident":"b","n":2},{"ident":"c"}]"#), accepted(2));
    assert_eq!(post(r#"[{"ident":"b"},{}]"#).0, 400);
    assert_eq!(curl(&["-H", JSON, "-d", r#"{"ident":"a"}"#, &to]).0, 401);
    assert_eq!(curl(&["-H", token, &to]).0, 405);
    // curl waits for `100 Continue` before it sends the body
    let long = "x".repeat(8000);
    let many = (0..100).map(|n| format!("{{\"ident\":\"d\",\"n\":{n},\"t\":\"{long}\"}}"));
    let many = format!("[{}]", many.collect::<Vec<_>>().join(","));
    let file = gateway.weir.folder.write("many.json", &many);
    let file = format!("@{}", file.display());
    let whole = [
        "-H",
        JSON,
        "-H",
        token,
        "-H",
        "Expect: 100-continue",
        "-d",
        &file,
        &to,
    ];
    assert_eq!(curl(&whole), accepted(100));
    let messages = gateway.messages(103);
    let idents: Vec<_> = messages[..3]
        .iter()
        .map(|m| m["ident"].as_str().unwrap())
        .collect();
    assert_eq!(idents, ["a", "b", "c"]);
    assert_eq!(messages[1]["n"], 2);
    assert_eq!(messages[102]["n"], 99);
}

#[test]
fn what_is_wrong_is_said_and_nothing_of_it_arrives() {
    let gateway = Gateway::start("curl-wrong");
    let (code, said) = curl(&[&gateway.phones("?lat=1&lon=2")]);
    assert_eq!((code, &said["error"]), (400, &"`id` is missing".into()));
    assert_eq!(curl(&[&gateway.phones("?id=phone-1&lat=91&lon=2")]).0, 400);
    assert_eq!(curl(&[&gateway.phones("?id=stranger&lat=1&lon=2")]).0, 400);
    assert_eq!(
        curl(&["-X", "DELETE", &gateway.phones("?id=phone-1")]).0,
        405
    );
    assert_eq!(curl(&["-H", JSON, "-d", "{", &gateway.phones("")]).0, 400);
    // one connection serves both
    let wrong = gateway.phones("?id=phone-1&timestamp=soon");
    let right = gateway.phones("?id=phone-1&n=1");
    let both = ["-sS", "-v", "-o", "-", &wrong, &right];
    let done = Command::new("curl").args(both).output().unwrap();
    let log = String::from_utf8(done.stderr).unwrap();
    assert!(
        log.contains("< HTTP/1.1 400") && log.contains("< HTTP/1.1 200"),
        "{log}"
    );
    assert!(
        log.contains("using existing connection") || log.contains("Re-using"),
        "{log}"
    );
    assert_eq!(gateway.messages(1)[0]["n"], 1);
}

/// Both kinds of channels say so, with a time to come again.
#[test]
fn a_full_ring_is_no_fault_of_the_sender() {
    let [phones, programs, nobody] = [free_port(), free_port(), free_port()];
    let config = format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"256 KiB\"\nfull = \"refuse\"\n\
         [api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"phones\"\ntype = \"osmand\"\nlisten = \"127.0.0.1:{phones}\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"http\"\nlisten = \"127.0.0.1:{programs}\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nchannels = [\"*\"]\n\
         url = \"mqtt://127.0.0.1:{nobody}\"\ntopic = \"t\"\n"
    );
    let _weir = Weir::start("curl-full", &config);
    let until_refused = |arguments: Vec<String>| {
        for taken in 0..100 {
            let done = Command::new("curl").args(&arguments).output().unwrap();
            let said = String::from_utf8(done.stdout).unwrap();
            if !said.starts_with("HTTP/1.1 200 ") {
                return (taken, said);
            }
        }
        panic!("the ring takes more than it can hold");
    };
    let text = "x".repeat(3000);
    let query = format!("http://127.0.0.1:{phones}/?id=a&t={text}");
    let body = format!("{{\"ident\":\"a\",\"t\":\"{text}\"}}");
    let to = format!("http://127.0.0.1:{programs}/");
    let post = ["-sS", "-i", "-H", JSON, "-d", &body, &to].map(str::to_owned);
    let get = ["-sS", "-i", &query].map(str::to_owned);
    let refused = thread::scope(|scope| {
        let both = [post.to_vec(), get.to_vec()];
        let both = both.map(|arguments| scope.spawn(|| until_refused(arguments)));
        both.map(|one| one.join().unwrap())
    });
    for (taken, said) in refused {
        assert!(taken > 3, "{taken} taken, then {said}");
        assert!(said.starts_with("HTTP/1.1 503 "), "{said}");
        assert!(said.contains("\r\nRetry-After: 5\r\n"), "{said}");
    }
}

const TRACCAR: &str = r#"{"location":{"timestamp":"2025-06-15T13:45:12.862Z","coords":{
"latitude":37.4219983,"longitude":-122.084,"accuracy":5,"speed":0,"heading":-1,"altitude":5},
"is_moving":false,"odometer":0,"event":"motionchange","battery":{"level":1,"is_charging":false},
"activity":{"type":"still"},"extras":{}},"device_id":"48241179"}"#;
