//! `weir tail --raw`: bytes as they come and go, in hex and as text.

use super::LOOK;
use super::plain;
use crate::api::Packet;
use crate::api::Way;
use crate::cli::client::Client;
use crate::cli::client::Trouble;
use crate::cli::client::encoded;
use crate::cli::color::Color;
use crate::cli::color::Style;
use crate::cli::date;
use crate::cli::pause;
use crate::cli::status::Form;
use base64::prelude::BASE64_STANDARD as BASE64;
use base64::prelude::Engine as _;
use std::io;
use std::io::Write;

/// Prints the traffic of a channel or stream, whose path this is, until nobody reads any more.
pub(super) fn follow(
    client: &Client,
    path: &str,
    ident: Option<&str>,
    form: Form,
) -> Result<(), Trouble> {
    let ident = ident.map_or_else(String::new, |ident| format!("&ident={}", encoded(ident)));
    let (mut after, color) = (None, Color::of_stdout());
    loop {
        let from = after.map_or_else(String::new, |after| format!("&after={after}"));
        let path = format!("{path}?count={COUNT}{from}{ident}");
        let packets: Vec<Packet> = client.ask("GET", &path, None)?;
        if print(&packets, form, color).is_err() {
            return Ok(());
        }
        after = packets.last().map(|packet| packet.id).or(after);
        if packets.len() < COUNT {
            pause(LOOK);
        }
    }
}

fn print(packets: &[Packet], form: Form, color: Color) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for packet in packets {
        let text = match form {
            Form::Json => serde_json::to_string(packet).map(|line| line + "\n"),
            Form::Text => Ok(text(packet, color)),
        };
        stdout.write_all(text?.as_bytes())?;
    }
    stdout.flush()
}

/// A line that says when, where and which way, then the bytes.
fn text(packet: &Packet, color: Color) -> String {
    let data = BASE64.decode(&packet.data).unwrap_or_default();
    let (arrow, style) = match packet.way {
        Way::In => ("\u{2190} in", Style::Green),
        Way::Out => ("\u{2192} out", Style::Yellow),
    };
    let ident = packet
        .ident
        .as_deref()
        .map_or_else(String::new, |ident| format!(" {}", plain(ident)));
    let mut text = format!(
        "{} #{} {}{ident} {} {}\n",
        date(packet.timestamp),
        packet.conn,
        plain(&packet.peer),
        color.paint(style, arrow),
        data.len() + packet.left_out,
    );
    for (row, bytes) in data.chunks(COLUMNS).enumerate() {
        text += &line(row * COLUMNS, bytes, color);
    }
    if packet.left_out > 0 {
        text += &format!("  ({} bytes more are not kept)\n", packet.left_out);
    }
    text
}

/// `  0010  48 65 6c 6c 6f 20 ...  Hello ...`
fn line(offset: usize, bytes: &[u8], color: Color) -> String {
    let mut hex = String::new();
    for (column, byte) in bytes.iter().enumerate() {
        let gap = if column == COLUMNS / 2 { " " } else { "" };
        hex += &format!("{gap}{byte:02x} ");
    }
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    };
    let shown: String = bytes.iter().map(shown).collect();
    let offset = color.paint(Style::Dim, &format!("{offset:04x}"));
    format!("  {offset}  {hex:HEX_WIDTH$} {shown}\n")
}

/// Bytes in a line.
const COLUMNS: usize = 16;

/// Characters of their hex.
const HEX_WIDTH: usize = COLUMNS * 3 + 1;

/// Packets at once.
const COUNT: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_hex_and_text_with_its_way() {
        let packet = Packet {
            id: 1,
            timestamp: 951_782_400.25,
            way: Way::In,
            conn: 7,
            peer: "192.168.1.20:5027".to_owned(),
            ident: Some("352".to_owned()),
            data: BASE64.encode(b"\0\x0f352093081452251\n"),
            left_out: 2,
        };
        let wanted = "2000-02-29T00:00:00.250Z #7 192.168.1.20:5027 352 \u{2190} in 20\n  \
             0000  00 0f 33 35 32 30 39 33  30 38 31 34 35 32 32 35  ..35209308145225\n  \
             0010  31 0a                                             1.\n  \
             (2 bytes more are not kept)\n";
        assert_eq!(text(&packet, Color::Off), wanted);
        let answer = Packet {
            way: Way::Out,
            ident: None,
            left_out: 0,
            data: String::new(),
            ..packet
        };
        let wanted = "2000-02-29T00:00:00.250Z #7 192.168.1.20:5027 \u{2192} out 0\n";
        assert_eq!(text(&answer, Color::Off), wanted);
    }
}
