//! Tables for people: columns as wide as they have to be.

use super::color::Color;
use super::color::Style;

/// A table that is being made. All rows have as many cells as the first.
#[derive(Default)]
pub(super) struct Table(Vec<Row>);

struct Row {
    cells: Vec<(String, Option<Style>)>,
    /// Lines that belong to it and have no columns.
    below: Vec<String>,
}

impl Table {
    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = (String, Option<Style>)>) {
        self.0.push(Row {
            cells: cells.into_iter().collect(),
            below: Vec::new(),
        });
    }

    /// Adds a line below the last row.
    pub(super) fn below(&mut self, line: String) {
        if let Some(row) = self.0.last_mut() {
            row.below.push(line);
        }
    }

    /// As text. Columns whose letter in `align` is `>` stand to the right; the last one is not
    /// filled up.
    pub(super) fn text(&self, align: &str, color: Color) -> String {
        let mut text = String::new();
        for row in &self.0 {
            let mut line = String::new();
            for (column, (cell, style)) in row.cells.iter().enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                let gap = " ".repeat(gap.len() + self.width(column) - cell.chars().count());
                let cell = style.map_or_else(|| cell.clone(), |style| color.paint(style, cell));
                let (before, after) = match (align.as_bytes().get(column), column) {
                    (Some(b'>'), _) => (gap.as_str(), ""),
                    (_, 0) => ("", gap.as_str()),
                    _ => ("  ", gap.get(2..).unwrap_or_default()),
                };
                line.push_str(before);
                line.push_str(&cell);
                line.push_str(after);
            }
            text.push_str(line.trim_end());
            text.push('\n');
            for line in &row.below {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.0.iter().filter_map(|row| row.cells.get(column));
        cells
            .map(|(cell, _)| cell.chars().count())
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_also_in_colour() {
        let mut table = Table::default();
        let plain = |text: &str| (text.to_owned(), None);
        table.row([plain("NAME"), plain("waiting"), plain("state")]);
        table.row([
            ("ä".to_owned(), Some(Style::Red)),
            plain("12"),
            plain("well"),
        ]);
        table.below("  more".to_owned());
        let wanted = "NAME  waiting  state\nä          12  well\n  more\n";
        assert_eq!(table.text("<><", Color::Off), wanted);
        let red = wanted.replace('ä', "\x1b[1;31mä\x1b[0m");
        assert_eq!(table.text("<><", Color::On), red);
    }
}
