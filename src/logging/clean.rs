//! What may stand in a line: text alone, and not too much of it. The one place that decides so.

use std::fmt;
use std::fmt::Write;

/// The text of a record in one line. What is not text stands as in `\n`, `\u{1b}`.
pub(super) fn clean(text: &fmt::Arguments<'_>) -> String {
    let mut clean = Clean::default();
    // it takes all, and fails only where a `Display` does
    clean.write_fmt(*text).ok();
    if clean.left_out > 0 {
        let more = format!("… ({} bytes more)", clean.left_out);
        clean.text.push_str(&more);
    }
    clean.text
}

/// Takes any text; bounded while it is written.
#[derive(Default)]
struct Clean {
    text: String,
    /// Bytes that did not fit.
    left_out: usize,
}

impl Write for Clean {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (at, c) in text.char_indices() {
            if self.left_out > 0 || self.text.len() >= TEXT_MAX {
                self.left_out += text.len() - at;
                break;
            }
            push(c, &mut self.text);
        }
        Ok(())
    }
}

/// A text in one line that colours and turns nothing round; as long as it is.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    text.chars().for_each(|c| push(c, &mut line));
    line
}

fn push(c: char, text: &mut String) {
    match is_text(c) {
        true => text.push(c),
        false => text.extend(c.escape_default()),
    }
}

/// Whether it is seen where it stands, and changes nothing around it.
fn is_text(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_control() => false,
        // soft hyphen, marks of direction, zero width, line and paragraph ends, embeddings,
        // overrides and isolates, joiners, byte order mark, annotations, tags, what selects a
        // variant, fillers that show nothing
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => false,
        // private: a terminal's font shows what it likes
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => false,
        _ => true,
    }
}

/// Bytes of a line's text. With what stands before it, it fits into the 1024 bytes that RFC 3164
/// and the logs of busybox and OpenWrt allow a line.
const TEXT_MAX: usize = 900;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_or_a_reader_of_lines_would_obey_is_escaped() {
        let said = "a\nweir: forged\r\u{1b}[2Jb\0\u{7f}\u{85}\u{9b}31m\u{2028}\u{202e}cba\u{2066}";
        let wanted = "a\\nweir: forged\\r\\u{1b}[2Jb\\u{0}\\u{7f}\\u{85}\\u{9b}31m\\u{2028}\
                      \\u{202e}cba\\u{2066}";
        assert_eq!(clean(&format_args!("{said}")), wanted);
        let text = "größer, 東京, שלום, `quoted` \"twice\" \\n";
        assert_eq!(clean(&format_args!("{text}")), text);
    }

    #[test]
    fn no_character_ends_a_line_or_is_invisible() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let line = clean(&format_args!("{c}"));
            assert!(
                !line.is_empty() && !line.contains(char::is_control),
                "{c:?}"
            );
            let wide = c.is_whitespace() && c != ' ';
            let ends = wide && line.lines().count() != 1;
            assert!(!ends, "{c:?}");
        }
    }

    #[test]
    fn a_line_is_bounded_however_long_what_is_said_is() {
        let line = clean(&format_args!(
            "{}{}",
            "\u{202e}".repeat(5000),
            "ä".repeat(5000)
        ));
        assert!(line.len() < TEXT_MAX + 48, "{}", line.len());
        assert!(line.ends_with(" bytes more)"), "{line}");
        let line = clean(&format_args!("{}", "x".repeat(TEXT_MAX)));
        assert_eq!(line.len(), TEXT_MAX);
    }
}
