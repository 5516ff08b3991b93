//! JSON lines, and the answers that count them.

use crate::message::Maker;
use crate::program::Outcome;

/// Appends the line of one message.
pub fn write(maker: &Maker, seq: u64, out: &mut Vec<u8>) -> u64 {
    maker.write(seq, out);
    out.push(b'\n');
    1
}

/// Takes the whole lines away; the last tells how many messages are safe.
pub fn answers(unread: &mut Vec<u8>, acknowledged: &mut u64) -> Outcome<()> {
    let Some(end) = unread.iter().rposition(|byte| *byte == b'\n') else {
        return Ok(());
    };
    let said = String::from_utf8_lossy(&unread[..end]).into_owned();
    unread.drain(..=end);
    for line in said.lines() {
        let count = line.strip_prefix("{\"acked\":").and_then(|rest| {
            let digits = rest.trim_end_matches(['}', '\r']);
            digits.parse().ok()
        });
        *acknowledged = count.ok_or_else(|| format!("answer {line}"))?;
    }
    Ok(())
}
