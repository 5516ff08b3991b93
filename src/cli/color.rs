//! Colours for terminals: none where the output is no terminal, or where `NO_COLOR` is set.

use crate::logging::is_coloured;
use std::io;

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// Texts stay as they are.
    Off,
    /// As terminals want them.
    On,
}

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Bold,
    /// What is broken.
    Red,
    /// What needs a look.
    Yellow,
    /// What is well.
    Green,
    /// What can be passed over.
    Dim,
    /// What a value is called.
    Cyan,
}

impl Color {
    /// As standard output wants it.
    pub(super) fn of_stdout() -> Self {
        match is_coloured(&io::stdout()) {
            true => Self::On,
            false => Self::Off,
        }
    }

    /// The text in that style. Its width stays: fill up columns before.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Bold => "1",
            Style::Red => "1;31",
            Style::Yellow => "33",
            Style::Green => "32",
            Style::Dim => "2",
            Style::Cyan => "36",
        };
        match self {
            Self::On if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_painted_where_there_are_colours_and_left_alone_elsewhere() {
        assert_eq!(Color::On.paint(Style::Red, "FULL"), "\x1b[1;31mFULL\x1b[0m");
        assert_eq!(Color::On.paint(Style::Red, ""), "");
        assert_eq!(Color::Off.paint(Style::Red, "FULL"), "FULL");
    }
}
