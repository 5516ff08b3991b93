//! Pieces of the sentences in which mistakes are said.

/// The text, or as much of it as a message holds.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Names in backticks, one after the other.
pub(crate) fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Characters of a value that a message shows at most.
const SHOWN_MAX: usize = 60;
