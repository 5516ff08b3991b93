//! Names that only weir sets: a sender's word for them is not taken, whatever its protocol.

use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use crate::weir::web::ask_port;
use serde_json::Value;
use std::fs;

const FORGED: &str = r#""device.name":"truck 7","record.seq":1,"record.x":2,"peer":"10.0.0.1",
    "timestamp.valid":true,"server.timestamp":1,"channel.name":"x","protocol.name":"y""#;

/// Channels of three protocols, a file that shows what became of what came in.
fn config(ports: [u16; 3]) -> String {
    let [json, http, osmand] = ports;
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n[api]\nlisten = \"off\"\n\
         [[channel]]\nname = \"json\"\ntype = \"json\"\nlisten = \"127.0.0.1:{json}\"\n\
         rename = {{ \"peer\" = \"said.peer\" }}\n\
         [[channel]]\nname = \"http\"\ntype = \"http\"\nlisten = \"127.0.0.1:{http}\"\n\
         [[channel]]\nname = \"osmand\"\ntype = \"osmand\"\nlisten = \"127.0.0.1:{osmand}\"\n\
         [[device]]\nname = \"known\"\nident = \"dev-2\"\n\
         [[stream]]\nname = \"out\"\ntype = \"file\"\npath = \"@/out\"\nchannels = [\"*\"]\n"
    )
}

#[test]
fn no_sender_says_what_only_weir_knows() {
    let ports = [free_port(), free_port(), free_port()];
    let weir = Weir::start("forged", &config(ports));
    let forged = FORGED.replace('\n', "");
    let mut lines = Lines::connect(ports[0]);
    lines.send(&format!("{{\"ident\":\"dev-1\",{forged}}}"));
    lines.send(&format!("{{\"ident\":\"dev-2\",{forged}}}"));
    lines.await_acked(2);
    let body = format!("{{\"ident\":\"dev-3\",{forged}}}");
    let (code, answer) = ask_port(ports[1], "POST", "/", &[], &body);
    assert_eq!(code, 200, "{answer}");
    let query = "/?id=dev-4&lat=1&lon=2&device.name=x&record.seq=1&timestamp.valid=1&peer=z";
    let (code, answer) = ask_port(ports[2], "POST", query, &[], "");
    assert_eq!(code, 200, "{answer}");
    let read = || -> Vec<Value> {
        let text = fs::read_to_string(weir.folder.join("out")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    };
    eventually("all are written", || read().len() == 4);
    for message in read() {
        let ident = message["ident"].as_str().unwrap();
        let (channel, device) = match ident {
            "dev-1" => ("json", None),
            "dev-2" => ("json", Some("known")),
            "dev-3" => ("http", None),
            _ => ("osmand", None),
        };
        assert_eq!(message["device.name"].as_str(), device, "{message}");
        assert_eq!(message["channel.name"], channel, "{message}");
        assert_eq!(message["protocol.name"], channel, "{message}");
        assert!(message["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
        assert!(
            message["server.timestamp"].as_f64() > Some(1e9),
            "{message}"
        );
        for gone in ["record.seq", "record.x", "timestamp.valid"] {
            assert_eq!(message.get(gone), None, "{gone} in {message}");
        }
        // `rename` comes before: what another gateway said may be kept under a name of its own
        let said = (channel == "json").then_some("10.0.0.1");
        assert_eq!(message["said.peer"].as_str(), said, "{message}");
    }
}
