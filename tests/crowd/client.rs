//! Clients that mean no good, or know no better: none of them ever waits for the daemon.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;

/// How something of a protocol begins.
pub(crate) struct Protocol {
    /// As the channel's type is called.
    pub(crate) name: &'static str,
    /// A message that could be taken, or its greater part.
    slow: &'static [u8],
    /// The head of something large.
    large: &'static [u8],
}

pub(crate) const PROTOCOLS: [Protocol; 5] = [
    Protocol {
        name: "json",
        slow: b"{\"ident\":\"slow\",\"position.latitude\":54.6872}\n",
        large: b"{\"ident\":\"large\",\"text\":\"",
    },
    Protocol {
        name: "http",
        slow: b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 16\r\n\r\n{\"ident\":\"slow\"}",
        large: b"POST / HTTP/1.1\r\nHost: gw\r\nContent-Length: 1000000\r\n\r\n[\"",
    },
    Protocol {
        name: "teltonika",
        slow: b"\x00\x0f356307042441013\x00\x00\x00\x00\x00\x00\x00\x36\x08\x01",
        large: b"\x00\x0f356307042441013\x00\x00\x00\x00\x00\x00\x05\x00\x08\x01",
    },
    Protocol {
        name: "wialon-ips",
        slow: b"#L#slow;NA\r\n#SD#NA;NA;5441.2320;N;02516.7820;E;1;1;1;8\r\n",
        large: b"#L#large;NA\r\n#B#",
    },
    Protocol {
        name: "mqtt",
        slow: b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04slow\x30\x10\x00\x03a/b{\"a\":1}",
        // a PUBLISH of 60,000 bytes
        large: b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05large\x30\xe0\xd4\x03\x00\x03a/b",
    },
];

/// One connection, made again when it was cut.
pub(crate) struct Client {
    protocol: &'static Protocol,
    port: u16,
    socket: TcpStream,
    /// Bytes of the slow message that were sent.
    sent: usize,
    random: u64,
}

impl Client {
    pub(crate) fn new(protocol: &'static Protocol, port: u16) -> Self {
        Self {
            protocol,
            port,
            socket: connect(port),
            sent: 0,
            random: u64::from(port),
        }
    }

    /// A byte more of the slow message.
    pub(crate) fn trickle(&mut self) {
        let slow = self.protocol.slow;
        self.send(&slow[self.sent..=self.sent]);
        self.sent = (self.sent + 1) % slow.len();
    }

    /// Something large whose end does not come.
    pub(crate) fn stuff(&mut self) {
        self.again();
        self.send(self.protocol.large);
        self.send(&[b'x'; LARGE]);
    }

    /// What means nothing.
    pub(crate) fn rubbish(&mut self) {
        let bytes: Vec<u8> = (0..512)
            .map(|_| {
                let next = self.random.wrapping_mul(6_364_136_223_846_793_005);
                self.random = next.wrapping_add(1);
                self.random.to_be_bytes()[0]
            })
            .collect();
        self.send(&bytes);
    }

    /// Sends what the socket takes; over a new one next time, if this one was cut.
    fn send(&mut self, bytes: &[u8]) {
        let cut = match self.socket.write(bytes) {
            Ok(_) => self.is_cut(),
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        };
        if cut {
            self.again();
        }
    }

    fn is_cut(&mut self) -> bool {
        match self.socket.read(&mut [0; 4096]) {
            Ok(len) => len == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    fn again(&mut self) {
        self.socket = connect(self.port);
        self.sent = 0;
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

/// All of them at once have 80 MiB.
const LARGE: usize = 40 * 1024;
