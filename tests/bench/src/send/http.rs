//! POSTs of JSON arrays, several on their way.

use crate::message::Maker;
use crate::program::Outcome;
use std::io::Write;

/// Messages of a request.
pub const BATCH: u64 = 100;

/// Appends a request of [`BATCH`] messages, or of as many as are left; how many.
pub fn write(maker: &Maker, first: u64, left: u64, out: &mut Vec<u8>) -> u64 {
    let mut body = vec![];
    let count = BATCH.min(left);
    for index in 0..count {
        body.push(if index == 0 { b'[' } else { b',' });
        maker.write(first + index, &mut body);
    }
    body.push(b']');
    let head = format!(
        "POST / HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = out.write_all(head.as_bytes());
    out.append(&mut body);
    count
}

/// Takes the whole answers away; how many messages they say are accepted.
pub fn answers(unread: &mut Vec<u8>) -> Outcome<u64> {
    let mut accepted = 0;
    while let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&unread[..end]).to_ascii_lowercase();
        let len = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|len| len.trim().parse::<usize>().ok())
            .unwrap_or(0);
        let Some(body) = unread.get(end + 4..end + 4 + len) else {
            break;
        };
        let body = String::from_utf8_lossy(body).into_owned();
        let count = body.split_once("\"accepted\":").and_then(|(_, rest)| {
            rest.trim_end_matches(['}', '\n'])
                .trim()
                .parse::<u64>()
                .ok()
        });
        accepted += count.ok_or_else(|| format!("{head}\n{body}"))?;
        unread.drain(..end + 4 + len);
    }
    Ok(accepted)
}
