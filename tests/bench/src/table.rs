//! Tables: columns as wide as what stands in them, numbers to the right.

/// A title, the heads of the columns, and rows of as many cells.
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|name| (*name).into()).collect(),
            rows: vec![],
        }
    }

    /// As Markdown has it, which reads well as plain text too; without the title.
    pub fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let all = cells.chain(self.columns.get(column));
            all.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..self.columns.len()).map(width).collect();
        let mut text = line(&self.columns, &widths);
        let rules = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column {
                0 => "-".repeat(*width),
                _ => "-".repeat(width - 1) + ":",
            });
        text += &line(&rules.collect::<Vec<_>>(), &widths);
        for row in &self.rows {
            text += &line(row, &widths);
        }
        text
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::from("|");
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        line += &match column {
            0 => format!(" {cell:<width$} |"),
            _ => format!(" {cell:>width$} |"),
        };
    }
    line + "\n"
}

/// A number with three digits that count.
pub fn short(number: f64) -> String {
    match number.abs() {
        _ if !number.is_finite() => "-".into(),
        size if size.fract() == 0.0 => grouped(number),
        size if size >= 100.0 => grouped(number.round()),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        size if size >= 0.001 => format!("{number:.3}"),
        _ => format!("{number:.5}"),
    }
}

fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle of some numbers; not a number of none.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    quantile(numbers, 0.5)
}

/// Below which such a part of some numbers lies.
pub fn quantile(numbers: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut all: Vec<_> = numbers.into_iter().filter(|n| n.is_finite()).collect();
    all.sort_by(f64::total_cmp);
    let last = all.len().saturating_sub(1) as f64 * part;
    let (low, high) = (last.floor() as usize, last.ceil() as usize);
    match (all.get(low), all.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::median;
    use super::quantile;
    use super::short;

    #[test]
    fn numbers_are_short() {
        let texts = [1234567.0, 123.4, 12.34, 1.234, 0.1234, 0.00001, 0.0, 16.0].map(short);
        let wanted = [
            "1,234,567",
            "123",
            "12.3",
            "1.23",
            "0.123",
            "0.00001",
            "0",
            "16",
        ];
        assert_eq!(texts, wanted);
    }

    #[test]
    fn the_middle_needs_no_order_and_no_broken_runs() {
        assert_eq!(median([3.0, f64::NAN, 1.0, 2.0]), 2.0);
        assert_eq!(quantile((0..=100).map(f64::from), 0.95), 95.0);
        assert!(median([]).is_nan());
    }
}
