//! Templates: text in which `{name}` stands for a parameter of a message.

/// A text that is complete once a message is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// As it is.
    Text(String),
    /// The value of a parameter.
    Parameter(String),
}

impl Template {
    /// Whether every message gives the same text.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        !self
            .parts
            .iter()
            .any(|part| matches!(part, Part::Parameter(_)))
    }
}
