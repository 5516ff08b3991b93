//! The page at `GET /`: one document, that asks the API for all that it shows. It holds no secret
//! and needs none; where a token is wanted it asks for it.
//!
//! Its parts lie in `page/`. They are kept packed as well, so that the program carries less and a
//! gateway never packs them; a test makes `page/made` anew when the two do not fit.

use super::routes::Answer;
use crate::wire::http::After;
use crate::wire::http::Head;
use crate::wire::http::Response;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// Answers a request for the page.
///
/// # Errors
/// What is answered instead.
pub(super) fn write(head: &Head<'_>, out: &mut Vec<u8>) -> Result<(), Answer> {
    if !matches!(head.method, "GET" | "HEAD") {
        let mut answer = Answer::error(405, &format!("no `{}` here", head.method));
        answer.allow = Some("GET".to_owned());
        return Err(answer);
    }
    let unpacked;
    let (coding, body): (_, &[u8]) = match takes_gzip(head) {
        true => (Some(("Content-Encoding", "gzip")), PACKED),
        false => {
            unpacked = unpack();
            (None, &unpacked)
        }
    };
    let mut headers = vec![
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", POLICY),
        ("Referrer-Policy", "no-referrer"),
        ("Vary", "Accept-Encoding"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    headers.extend(coding);
    let response = Response {
        status: 200,
        content_type: "text/html; charset=utf-8",
        headers: &headers,
        body,
        after: After::Close,
    };
    response.write(head.method, out);
    Ok(())
}

/// Whether the client reads gzip; one that gives it no weight does not.
fn takes_gzip(head: &Head<'_>) -> bool {
    let codings = head.header("accept-encoding").unwrap_or_default();
    let mut codings = codings.split(',').map(|coding| coding.trim_ascii());
    codings.any(|coding| match coding.split_once(';') {
        Some(("gzip", weight)) => !weight.trim_ascii().starts_with("q=0") || weight.contains('.'),
        _ => coding == "gzip",
    })
}

/// The page as a client without gzip wants it.
fn unpack() -> Vec<u8> {
    let packed = PACKED.get(GZIP_HEAD..PACKED.len().saturating_sub(GZIP_TAIL));
    // it is ours, and a test unpacks it
    decompress_to_vec_with_limit(packed.unwrap_or_default(), PAGE_MAX).unwrap_or_default()
}

/// The page, packed.
const PACKED: &[u8] = include_bytes!("page/made/page.html.gz");

/// What the page may do: run its own script and ask whom it came from. Nothing else.
const POLICY: &str = include_str!("page/made/policy");

/// Before and behind what is packed, in bytes.
const GZIP_HEAD: usize = 10;
const GZIP_TAIL: usize = 8;

/// Longest page, in bytes.
const PAGE_MAX: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::HostRule;
    use crate::wire::http::parse_head;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use miniz_oxide::deflate::compress_to_vec;
    use ring::digest::SHA256;
    use ring::digest::digest;
    use std::fs;
    use std::path::Path;

    /// The parts of the script, in order.
    const SCRIPT: &[&str] = &[
        include_str!("page/base.js"),
        include_str!("page/draw.js"),
        include_str!("page/ring.js"),
        include_str!("page/streams.js"),
        include_str!("page/channels.js"),
        include_str!("page/raw.js"),
        include_str!("page/form.js"),
        include_str!("page/detail.js"),
        include_str!("page/devices.js"),
        include_str!("page/live.js"),
    ];
    const STYLE: &str = include_str!("page/page.css");
    const DOCUMENT: &str = include_str!("page/page.html");

    /// Without what nobody reads who is served: comments, indentation, empty lines.
    fn lean(text: &str) -> String {
        let lines = text.lines().map(str::trim_ascii);
        let said = |line: &&str| {
            let comment = line.starts_with("//") || line.starts_with("/*") && line.ends_with("*/");
            !line.is_empty() && !comment
        };
        lines.filter(said).flat_map(|line| [line, "\n"]).collect()
    }

    fn hash(text: &str) -> String {
        STANDARD.encode(digest(&SHA256, text.as_bytes()))
    }

    /// The page and its policy, made of the parts.
    fn make() -> (String, String) {
        let script = format!("\n\"use strict\";\n{}", lean(&SCRIPT.concat()));
        let style = format!("\n{}", lean(STYLE));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(&script),
            hash(&style)
        );
        let page = lean(DOCUMENT)
            .replace("@script", &script)
            .replace("@style", &style);
        (page, policy)
    }

    fn gzip(page: &[u8]) -> Vec<u8> {
        let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
        packed.extend(compress_to_vec(page, 10));
        packed.extend(
            crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC)
                .checksum(page)
                .to_le_bytes(),
        );
        packed.extend(u32::try_from(page.len()).unwrap().to_le_bytes());
        packed
    }

    #[test]
    fn what_is_packed_is_what_lies_beside_it() {
        let (page, policy) = make();
        if std::env::var_os("WEIR_MAKE_PAGE").is_some() {
            let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/page/made");
            fs::write(made.join("page.html.gz"), gzip(page.as_bytes())).unwrap();
            fs::write(made.join("policy"), &policy).unwrap();
            return println!(
                "made anew: {} bytes of {}",
                gzip(page.as_bytes()).len(),
                page.len()
            );
        }
        let fits = unpack() == page.as_bytes() && POLICY == policy;
        assert!(
            fits,
            "after a change: WEIR_MAKE_PAGE=1 cargo test --lib api::page"
        );
        assert!(PACKED.len() <= 40 * 1024, "{} bytes", PACKED.len());
    }

    #[test]
    fn the_script_makes_no_page_of_data() {
        let script = SCRIPT.concat();
        for never in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "document.write",
        ] {
            assert!(!script.contains(never), "{never}");
        }
        for never in [
            " onclick=",
            " onload=",
            " style=",
            "http://",
            "https://",
            "src=",
            "@import",
        ] {
            assert!(
                !DOCUMENT.contains(never) && !STYLE.contains(never),
                "{never}"
            );
        }
    }

    fn ask(method: &str, headers: &str) -> Vec<u8> {
        let request = format!("{method} / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let (head, _) = parse_head(request.as_bytes(), HostRule::Required)
            .unwrap()
            .unwrap();
        let mut out = Vec::new();
        let refused = write(&head, &mut out).err();
        assert_eq!(refused.map(|answer| answer.status), refusal(method));
        out
    }

    fn refusal(method: &str) -> Option<u16> {
        (!["GET", "HEAD"].contains(&method)).then_some(405)
    }

    fn body(answer: &[u8]) -> &[u8] {
        let at = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        &answer[at + 4..]
    }

    #[test]
    fn who_reads_gzip_gets_it_and_nobody_else() {
        for (headers, packed) in [
            ("Accept-Encoding: gzip, deflate, br\r\n", true),
            ("Accept-Encoding: br;q=1.0, gzip;q=0.8\r\n", true),
            ("Accept-Encoding: gzip;q=0\r\n", false),
            ("Accept-Encoding: identity\r\n", false),
            ("", false),
        ] {
            let answer = ask("GET", headers);
            let wanted = if packed { PACKED } else { &unpack() };
            assert!(body(&answer) == wanted, "{headers}");
            let said = String::from_utf8_lossy(&answer).contains("\r\nContent-Encoding: gzip\r\n");
            assert_eq!(said, packed, "{headers}");
        }
        assert!(body(&ask("HEAD", "")).is_empty());
        assert!(ask("POST", "").is_empty());
    }
}
