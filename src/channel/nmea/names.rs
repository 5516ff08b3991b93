//! What stands outside of sentences: a name, or what bytes that were lost have left of a sentence
//! or of its TAG block.

use crate::message::check_ident;

/// Whether this may be the end of a sentence: what precedes the checksum has a comma or the star.
pub(super) fn is_tail(text: &[u8]) -> bool {
    let has_mark = text.iter().any(|byte| matches!(byte, b'*' | b','));
    text.len() <= CHECKSUM_LEN || has_mark
}

/// The name that stands outside of the checksums; none where it is more likely what bytes that
/// were lost have left of a sentence.
pub(super) fn name(text: &[u8]) -> Option<&str> {
    let text = str::from_utf8(text).ok()?.trim_end_matches([',', ' ']);
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let is_fraction = text.contains('.') && text.bytes().all(is_number);
    let kind = text.get(2..).unwrap_or_default();
    let is_head = matches!(text.len(), 5) && KINDS.contains(&kind);
    let is_tag = text.starts_with('\\') || text.ends_with('\\');
    let is_left = is_tail(text.as_bytes()) || is_fraction || is_head || is_tag;
    (!is_left && check_ident(text).is_ok()).then_some(text)
}

/// What the heads of the sentences that receivers send most end with.
const KINDS: [&str; 10] = [
    "RMC", "GGA", "GSA", "GSV", "VTG", "GLL", "ZDA", "TXT", "GNS", "GST",
];

/// Hex digits.
const CHECKSUM_LEN: usize = 2;
