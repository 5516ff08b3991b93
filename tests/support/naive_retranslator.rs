//! A second codec of Wialon Retranslator, written from the specification alone: slow, plain, and
//! without mercy for what a sender must not do.

use super::hex::hex;
use weir::wire::retranslator::Block;
use weir::wire::retranslator::BlockValue;

/// A block as the specification has it: hidden, type, name, and the value's bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Naive(
    pub(crate) u8,
    pub(crate) u8,
    pub(crate) String,
    pub(crate) Vec<u8>,
);

impl Naive {
    /// The same block, put back into bytes.
    pub(crate) fn from(block: &Block<'_>) -> Self {
        let (kind, bytes) = match &block.value {
            BlockValue::Text(text) => (1, [text.as_bytes(), &[0]].concat()),
            BlockValue::I32(number) => (3, number.to_be_bytes().to_vec()),
            BlockValue::F64(number) => (4, number.to_le_bytes().to_vec()),
            BlockValue::I64(number) => (5, number.to_be_bytes().to_vec()),
            BlockValue::Other { kind, bytes } => (*kind, bytes.to_vec()),
            BlockValue::Position(p) => {
                let floats = [p.longitude, p.latitude, p.altitude]
                    .map(f64::to_le_bytes)
                    .concat();
                let words = [p.speed, p.direction].map(u16::to_be_bytes).concat();
                (2, [floats, words, vec![p.satellites]].concat())
            }
        };
        Self(block.hidden, kind, block.name.to_string(), bytes)
    }
}

impl std::fmt::Display for Naive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(hidden, kind, name, bytes) = self;
        let value = match kind {
            1 => format!(
                "{:?}",
                str::from_utf8(bytes.strip_suffix(&[0]).unwrap()).unwrap()
            ),
            3 => i32::from_be_bytes((&**bytes).try_into().unwrap()).to_string(),
            4 => format!("{:?}", f64::from_le_bytes((&**bytes).try_into().unwrap())),
            5 => i64::from_be_bytes((&**bytes).try_into().unwrap()).to_string(),
            2 => {
                let float = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
                let word = |at: usize| u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap());
                let (speed, course) = (word(24), word(26));
                assert_eq!(bytes.len(), 29);
                format!(
                    "{},{},{},{speed},{course},{}",
                    float(0),
                    float(8),
                    float(16),
                    bytes[28]
                )
            }
            _ => hex(bytes),
        };
        write!(
            f,
            "{}{kind}:{name}={value}",
            if *hidden == 1 { "hidden " } else { "" }
        )
    }
}

/// The packet of these blocks, whether it makes sense or not.
pub(crate) fn naive_write(uid: &str, time: u32, flags: u32, blocks: &[Naive]) -> Vec<u8> {
    let mut body = [
        uid.as_bytes(),
        &[0],
        &time.to_be_bytes(),
        &flags.to_be_bytes(),
    ]
    .concat();
    for Naive(hidden, kind, name, bytes) in blocks {
        let inner = [&[*hidden, *kind], name.as_bytes(), &[0], bytes].concat();
        body.extend_from_slice(&[0x0B, 0xBB]);
        body.extend_from_slice(&u32::try_from(inner.len()).unwrap().to_be_bytes());
        body.extend_from_slice(&inner);
    }
    [&u32::try_from(body.len()).unwrap().to_le_bytes(), &*body].concat()
}

/// Panics on anything that the specification does not allow a sender.
pub(crate) fn naive_read(packet: &[u8]) -> (String, u32, u32, Vec<Naive>) {
    let word = |at: usize| u32::from_be_bytes(packet[at..at + 4].try_into().unwrap());
    let text = |at: usize| {
        let end = at + packet[at..].iter().position(|byte| *byte == 0).unwrap();
        (
            str::from_utf8(&packet[at..end]).unwrap().to_owned(),
            end + 1,
        )
    };
    assert_eq!(word(0).swap_bytes() as usize, packet.len() - 4);
    let (uid, mut at) = text(4);
    let (time, flags) = (word(at), word(at + 4));
    at += 8;
    let mut blocks = Vec::new();
    while at < packet.len() {
        assert_eq!(packet[at..at + 2], [0x0B, 0xBB]);
        let end = at + 6 + word(at + 2) as usize;
        let (name, value) = text(at + 8);
        assert!((1..=38).contains(&name.len()) && name.is_ascii(), "{name}");
        let hidden = ["posinfo", "avl_inputs", "avl_outputs", "avl_driver"].contains(&&*name);
        assert_eq!(packet[at + 6], u8::from(hidden));
        blocks.push(Naive(
            packet[at + 6],
            packet[at + 7],
            name,
            packet[value..end].to_vec(),
        ));
        at = end;
    }
    (uid, time, flags, blocks)
}
