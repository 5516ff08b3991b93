//! The pictures of the documentation: what the program shows on a terminal. That of `weir check` is
//! compared letter by letter with what the program says now; the others have figures of the day on
//! which they were made, and are compared by the names that stand above these.
//! `WEIR_MAKE_PICTURES=1 tests/run page` makes all of them anew.

use crate::servers::Mosquitto;
use crate::terminal::picture;
use crate::terminal::plain;
use crate::terminal::shown;
use crate::weir::Folder;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::free_port;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/pictures/{name}.svg"))
}

/// Where pictures are made anew this one is; what is there then.
fn made(name: &str, typed: &str, shown: &str) -> String {
    if std::env::var_os("WEIR_MAKE_PICTURES").is_some() {
        fs::write(kept(name), picture(typed, shown)).unwrap();
    }
    fs::read_to_string(kept(name)).unwrap()
}

/// What one who is new to it may write.
const SLIPS: &str = r#"[ring]
file = "/var/lib/weir/ring"
size = 64

[[channel]]
name = "trackers"
type = "teltonica"
listen = "0.0.0.0:5027"

[[stream]]
name = "cloud"
type = "mqtt"
url = "mqtt://broker.example.com"
topic = "weir/{ident}"
channels = ["tracker"]
filter = "position.speed > 5 &&"
ttl = "7 days"
"#;

#[test]
fn the_picture_of_check_is_what_check_says() {
    let folder = Folder::new("slips");
    folder.write("weir.toml", SLIPS);
    let weir = env!("CARGO_BIN_EXE_weir");
    let text = shown(&folder.join(""), &format!("{weir} check -c weir.toml"));
    let now = picture("weir check -c weir.toml", &text);
    assert!(plain(&text).contains("weir.toml:3:8: error: "), "{text}");
    assert!(
        now.contains("class=\"red\""),
        "there are no colours: {text}"
    );
    let then = made("check", "weir check -c weir.toml", &text);
    assert!(then == now, "make it anew, see above: it says now\n{text}");
}

/// A gateway with a broker that answers and a server that is not there.
fn gateway(port: u16, broker: u16) -> String {
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"64 MiB\"\n[api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"trackers\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[channel]]\nname = \"programs\"\ntype = \"json\"\nlisten = \"unix:@/in\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{broker}\"\n\
         topic = \"weir/{{ident}}\"\nchannels = [\"*\"]\n\
         [[stream]]\nname = \"office\"\ntype = \"http\"\nurl = \"http://127.0.0.1:9/in\"\n\
         channels = [\"trackers\"]\n\
         [[stream]]\nname = \"archive\"\ntype = \"file\"\npath = \"@/archive.jsonl\"\n\
         channels = [\"*\"]\n"
    )
}

/// Trucks on their way, for so many moments.
fn drive(port: u16, moments: u32) {
    let mut lines = Lines::connect(port);
    for moment in 0..moments {
        let (truck, place) = (moment % 3, f64::from(moment) / 1000.0);
        lines.send(&format!(
            "{{\"ident\":\"35209308145225{truck}\",\"position.latitude\":{:.4},\
             \"position.longitude\":{:.4},\"position.speed\":{},\"din.1\":{}}}",
            54.68 + place,
            25.28 + place / 2.0,
            40 + moment % 20,
            moment % 7 != 0
        ));
        thread::sleep(Duration::from_millis(100));
    }
    lines.await_acked(u64::from(moments));
}

#[test]
fn the_pictures_of_a_running_daemon_show_what_is_there() {
    let (broker, port) = (Mosquitto::start(), free_port());
    let weir = Weir::start("pictures", &gateway(port, broker.port));
    let anew = std::env::var_os("WEIR_MAKE_PICTURES").is_some();
    drive(port, if anew { 600 } else { 10 });
    let program = env!("CARGO_BIN_EXE_weir");
    let folder = weir.folder.join("");
    let says = |line: &str| shown(&folder, &format!("{program} {line} -c weir.toml"));
    for (name, words) in [
        (
            "status",
            &[
                "STREAM", "waiting", "oldest", "p95", "CHANNEL", "RING", "office",
            ][..],
        ),
        ("devices", &["IDENT", "352093081452251"]),
        ("logs", &["office", "not delivered", "connected"]),
    ] {
        let text = says(name);
        let then = made(name, &format!("weir {name}"), &text);
        for word in words {
            assert!(plain(&text).contains(word), "{name} lacks {word}: {text}");
            let has = then.contains(word);
            assert!(has, "the picture of {name} is old, make it anew: {word}");
        }
    }
}
