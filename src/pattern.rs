//! Patterns of idents and names: text in which `*` stands for any text.

/// A pattern, or a plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
}

impl Pattern {
    /// A pattern as the configuration writes it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }

    /// Whether all of `text` fits it.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let _ = (text, &self.text);
        todo!()
    }
}
