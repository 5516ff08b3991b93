//! Packets written by hand, after the OASIS specifications of MQTT 3.1.1 and 5.0.

/// Type and flags, then the length of the body, then the body.
pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut len = body.len();
    loop {
        let low = u8::try_from(len % 128).unwrap();
        len /= 128;
        bytes.push(low | if len > 0 { 0x80 } else { 0 });
        if len == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

/// A text with its length before it.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).unwrap();
    [&len.to_be_bytes(), text.as_bytes()].concat()
}

/// The login of a version: 4 or 5.
pub(crate) struct Login<'a> {
    pub(crate) level: u8,
    pub(crate) flags: u8,
    pub(crate) keep_alive: u16,
    pub(crate) client_id: &'a str,
    /// What follows the client's name.
    pub(crate) rest: Vec<u8>,
}

impl Login<'_> {
    pub(crate) fn new(level: u8) -> Self {
        Self {
            level,
            flags: 2,
            keep_alive: 60,
            client_id: "c",
            rest: Vec::new(),
        }
    }

    pub(crate) fn with_user(level: u8, name: &str, password: &str) -> Self {
        Self {
            flags: 0b1100_0010,
            rest: [text(name), text(password)].concat(),
            ..Self::new(level)
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut body = text("MQTT");
        body.extend_from_slice(&[self.level, self.flags]);
        body.extend_from_slice(&self.keep_alive.to_be_bytes());
        if self.level == 5 {
            body.push(0);
        }
        body.extend(text(self.client_id));
        body.extend_from_slice(&self.rest);
        packet(0x10, &body)
    }
}

/// A message; an id where `flags` say QoS 1 or 2.
pub(crate) fn publish(level: u8, flags: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = text(topic);
    if flags & 0b0110 != 0 {
        body.extend_from_slice(&id.to_be_bytes());
    }
    if level == 5 {
        body.push(0);
    }
    body.extend_from_slice(payload);
    packet(0x30 | flags, &body)
}

/// A message of QoS 1.
pub(crate) fn publish1(level: u8, topic: &str, id: u16, payload: &str) -> Vec<u8> {
    publish(level, 0b0010, topic, id, payload.as_bytes())
}

/// A subscription, or the end of one with `0xA2`.
pub(crate) fn filters(first: u8, level: u8, id: u16, all: &[&str]) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if level == 5 {
        body.push(0);
    }
    for filter in all {
        body.extend(text(filter));
        if first == 0x82 {
            body.push(1);
        }
    }
    packet(first, &body)
}
