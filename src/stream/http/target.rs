//! What the target of a request must not be once a message is filled into it. Knows no message.

/// Judges path and query of a request by `method`.
///
/// # Errors
/// What is wrong with it, in words: a segment of the path that leads elsewhere, or more than
/// servers read.
pub(super) fn check(method: &str, target: &str) -> Result<(), String> {
    let len = line_len(method, target);
    if len > LINE_MAX {
        return Err(format!(
            "the request line has {len} bytes, at most {LINE_MAX} are allowed"
        ));
    }
    let path = target.split('?').next().unwrap_or_default();
    match path.split('/').find(|segment| leads_elsewhere(segment)) {
        Some(dots) => Err(format!("a segment of the path is `{dots}`")),
        None => Ok(()),
    }
}

/// Bytes of the first line of a request.
pub(super) fn line_len(method: &str, target: &str) -> usize {
    method.len() + target.len() + " / HTTP/1.1\r\n".len()
}

/// Whether a segment of a path is `.` or `..`, however it is written (RFC 3986, sections 3.3 and
/// 6.2.2): servers and proxies take it for this folder or the one above.
pub(crate) fn leads_elsewhere(segment: &str) -> bool {
    if segment.len() > "%2e%2e".len() {
        return false;
    }
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    matches!(plain.as_str(), "." | "..")
}

/// Longest first line of a request, in bytes: as much as a server should be able to read (RFC 9112,
/// section 3).
pub(super) const LINE_MAX: usize = 8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_of_dots_is_found_however_it_is_written() {
        for wrong in [
            "..",
            "/..",
            "/dev/.",
            "/dev/../x",
            "/%2e%2E/",
            "/.%2e?a=b",
            "/dev/./?x",
        ] {
            assert!(check("POST", wrong).is_err(), "{wrong}");
        }
        for right in [
            "",
            "/",
            "//",
            "/...",
            "/a..",
            "/.a/b",
            "/dev?at=..&x=/../",
            "/%252e%252e",
            "/%2e%2e%2e",
        ] {
            assert_eq!(check("POST", right), Ok(()), "{right}");
        }
    }

    #[test]
    fn a_line_is_as_long_as_servers_read_and_no_longer() {
        let line = |len: usize| format!("/{}", "x".repeat(len - "POST / HTTP/1.1\r\n".len() - 1));
        assert_eq!(check("POST", &line(LINE_MAX)), Ok(()));
        let long = check("POST", &line(LINE_MAX + 1)).unwrap_err();
        assert!(long.contains("8001 bytes"), "{long}");
    }
}
