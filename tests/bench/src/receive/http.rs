//! A web server that answers 200 to all.

use super::numbers;

/// Takes the whole requests, and appends their answers; how many bytes they had.
pub fn take(unread: &[u8], found: &mut Vec<u64>, answer: &mut Vec<u8>) -> usize {
    let mut used = 0;
    loop {
        let rest = &unread[used..];
        let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else {
            return used;
        };
        let head = String::from_utf8_lossy(&rest[..end]).to_ascii_lowercase();
        let len = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|len| len.trim().parse::<usize>().ok())
            .unwrap_or(0);
        let Some(body) = rest.get(end + 4..end + 4 + len) else {
            return used;
        };
        numbers(body, found);
        answer.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        used += end + 4 + len;
    }
}
