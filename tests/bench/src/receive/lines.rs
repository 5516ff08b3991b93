//! Lines that nobody answers.

use super::numbers;

/// Takes the whole lines; how many bytes they had.
pub fn take(unread: &[u8], found: &mut Vec<u64>) -> usize {
    let end = unread.iter().rposition(|byte| *byte == b'\n');
    let used = end.map_or(0, |end| end + 1);
    numbers(&unread[..used], found);
    used
}
