//! `weir stream add` and `weir stream remove`.

use crate::IMPATIENT;
use crate::asking::ask;
use crate::asking::count;
use crate::asking::one;
use crate::asking::run;
use crate::config;
use crate::file;
use crate::http;
use crate::send;
use crate::weir::Weir;
use crate::weir::free_port;
use crate::writing::kept;

#[test]
fn a_stream_that_no_file_has_any_more_is_forgotten_by_its_name() {
    let (port, away) = (free_port(), free_port());
    let with = config(port, &(file("archive") + &http("cloud", away, IMPATIENT)));
    let weir = Weir::start("forgotten", &with);
    send(port, 0..3);
    assert_eq!(run(&weir, &["stream", "remove", "cloud"]).0, 1);
    weir.reload(&config(port, &file("archive")));
    assert_eq!(ask(&weir, "GET", "/streams/cloud", "").0, 404);
    let (code, said) = run(&weir, &["stream", "remove", "cloud"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "removed, 3 waiting messages are forgotten\n")
    );
    weir.reload(&with);
    assert_eq!(count(&weir, "cloud", "stored"), 0);
}

#[test]
fn streams_come_from_a_file_and_mistakes_name_its_lines() {
    let (port, away) = (free_port(), free_port());
    let weir = Weir::start("add", &config(port, &file("archive")));
    let add = |text: &str| {
        let path = weir.folder.write("more.toml", text);
        run(&weir, &["stream", "add", &path.display().to_string()])
    };
    let two = http("cloud", away, IMPATIENT) + &http("second", away, "ttl = \"1h\"");
    for (from, to, place) in [
        ("ttl = \"1h\"", "ttl = \"x\"", "more.toml:12:7: error:"),
        ("ttl = \"1h\"", "tttl = \"1h\"", "more.toml:12:1: error:"),
        ("max = \"100ms\"", "max = \"x\"", "more.toml:6:31: error:"),
        (
            "type = \"http\"",
            "",
            "more.toml:1:1: error: this stream has no `type`",
        ),
        ("[[stream]]", "[ring]\n[[stream]]", "more.toml:1:2: error:"),
        ("ttl =", "ttl", "more.toml:12:"),
    ] {
        let (code, said) = add(&two.replacen(from, to, 1));
        assert!(code == 2 && said.contains(place), "{to}: {said}");
        assert!(said.contains('^'), "{said}");
    }
    assert!(kept(&weir).is_empty());
    let (code, said) = add(&two);
    assert_eq!(
        (code, said.as_str()),
        (0, "stream `cloud` added\nstream `second` added\n")
    );
    assert_eq!(
        one(&weir, "/streams/second/settings")["settings"]["ttl"],
        "1h"
    );
    let (code, said) = add(&two);
    assert!(
        code == 1 && said.contains("there is a stream `cloud`"),
        "{said}"
    );
    let (code, said) = run(&weir, &["stream", "remove", "second"]);
    assert_eq!(
        (code, said.as_str()),
        (0, "removed, 0 waiting messages are forgotten\n")
    );
    assert_eq!(run(&weir, &["stream", "add", "/nowhere"]).0, 2);
}
