//! Formats that are read as a whole: packets, answers, configurations.

use crate::bytes::Source;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use weir::config;
use weir::config::Environment;
use weir::filter::Filter;
use weir::message::Message;
use weir::net::dns::Config;
use weir::net::dns::Name;
use weir::net::dns::Query;
use weir::net::dns::hosts;
use weir::wire::retranslator;

/// A packet that is whole is the same one with more behind it, and all of it is in its blocks.
pub(crate) fn retranslator(data: &[u8]) {
    let Ok(Some((packet, len))) = retranslator::decode(data) else {
        return;
    };
    assert!(len <= data.len());
    assert!(!packet.uid.is_empty());
    let blocks: Vec<_> = packet.blocks().collect();
    assert!(
        blocks.len() * 9 <= len,
        "{} blocks in {len} bytes",
        blocks.len()
    );
    let again = retranslator::decode(&data[..len]).map(|whole| whole.map(|(_, len)| len));
    assert_eq!(again, Ok(Some(len)));
    let short = retranslator::decode(&data[..len - 1]).map(|whole| whole.is_none());
    assert_eq!(short, Ok(true));
}

pub(crate) fn retranslator_seeds() -> Vec<Vec<u8>> {
    let block = |kind: u8, name: &str, value: &[u8]| {
        let inner = [&[1, kind], name.as_bytes(), &[0], value].concat();
        let len = u32::try_from(inner.len()).expect("a short block");
        [&[0x0b, 0xbb][..], &len.to_be_bytes(), &inner].concat()
    };
    let blocks = [
        block(2, "posinfo", &[0; 29]),
        block(3, "avl_inputs", &[0, 0, 0, 1]),
        block(1, "text", b"abc\0"),
    ];
    let body = [&b"353976013445485\0"[..], &[0; 8], &blocks.concat()].concat();
    let len = u32::try_from(body.len()).expect("a short packet");
    vec![[&len.to_le_bytes()[..], &body].concat()]
}

/// A configuration of one file, and each text of it as a filter.
pub(crate) fn config(data: &[u8]) {
    let loaded = config::load(Path::new(MAIN), &OneFile(data));
    for diagnostic in &loaded.diagnostics {
        assert!(!diagnostic.to_string().is_empty());
    }
    let text = String::from_utf8_lossy(data);
    for filter in text.split('"').filter_map(|text| Filter::parse(text).ok()) {
        let message = Message::new("a").expect("an ident");
        let body = message.fields().next().is_some();
        assert!(!filter.passes(|_| None) || body || !text.is_empty());
    }
}

pub(crate) fn config_seeds() -> Vec<Vec<u8>> {
    let text = r#"[ring]
file = "/r"
size = "64 MiB"
[[channel]]
name = "in"
type = "json"
listen = ["127.0.0.1:5027", "udp:[::]:5027", "unix:/run/in"]
allow = ["192.168.1.0/24"]
[[stream]]
name = "out"
type = "http"
url = "https://u:p@example.com:8443/{ident}"
channels = ["*"]
filter = "position.speed > 0x1f && exists('a.b') ? $c.d ~ 'x*' : !(1 + -2 * 3 == 4)"
ttl = "7d"
retry = { min = "1s", max = "5m" }
tls = { ca = "/ca", alpn = ["${hostname}"] }
"#;
    vec![text.as_bytes().to_vec()]
}

/// An answer to a question, the files of the resolver, and names.
pub(crate) fn dns(data: &[u8]) {
    let mut source = Source(data);
    let kind = source.byte();
    match kind % 4 {
        0 => drop(Config::parse(source.0)),
        1 => drop(hosts(source.0, "example.com")),
        2 => drop(Name::parse(&String::from_utf8_lossy(source.0))),
        _ => drop(query(kind).read(source.0)),
    }
}

pub(crate) fn dns_seeds() -> Vec<Vec<u8>> {
    let question = query(3).to_bytes();
    let mut answer = [&[3], &question[..2], &[0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]].concat();
    answer.extend(&question[12..question.len()]);
    answer.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'b', 0xc0, 12]);
    answer.extend([
        1, b'b', 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1,
    ]);
    vec![
        answer,
        b"\x00nameserver 127.0.0.1\nsearch a b\noptions ndots:2 timeout:1 rotate\n".to_vec(),
        b"\x01127.0.0.1 localhost example.com # a\n".to_vec(),
        b"\x02www.example.com".to_vec(),
    ]
}

fn query(kind: u8) -> Query {
    Query {
        id: 7,
        name: Name::parse("www.example.com").expect("a name"),
        kind: match kind & 4 {
            0 => weir::net::dns::Kind::A,
            _ => weir::net::dns::Kind::Aaaa,
        },
    }
}

/// A machine that has nothing but this file.
struct OneFile<'a>(&'a [u8]);

impl Environment for OneFile<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        (name.len() % 2 == 0).then(|| "value".to_owned())
    }

    fn read(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        match path == Path::new(MAIN) && self.0.len() <= max {
            true => Ok(self.0.to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

const MAIN: &str = "/etc/weir/weir.toml";
