//! Names that somebody meant when writing another.
//!
//! Knows no names; callers bring those that are known.

/// The one of `known` that is nearest to `name`, if one is near at all.
pub(crate) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase().replace('-', "_");
    let far = name.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|known| {
            (
                distance(&name, &known.to_lowercase().replace('-', "_")),
                known,
            )
        })
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many characters have to be put in, left out, replaced or swapped with their neighbour.
pub(crate) fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (
        from.chars().take(NAME_MAX).collect(),
        to.chars().take(NAME_MAX).collect(),
    );
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, &a) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, &b) in to.iter().enumerate() {
            let cell =
                |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = cell(&last, column) + usize::from(a != b);
            let mut best = replaced
                .min(cell(&last, column + 1) + 1)
                .min(cell(&next, column) + 1);
            let swapped = column
                .checked_sub(1)
                .filter(|&column| previous == Some(b) && to.get(column) == Some(&a));
            if let Some(column) = swapped {
                best = best.min(cell(&before, column) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
        previous = Some(a);
    }
    last.last().copied().unwrap_or(0)
}

/// Characters that are compared at most: the cost is their square.
const NAME_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_textbook() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("naem", "name", 1),
            ("a", "b", 1),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }

    #[test]
    fn only_what_is_near_is_named() {
        let known = ["topic", "timeout", "type"];
        assert_eq!(nearest("topik", known), Some("topic"));
        assert_eq!(nearest("time-out", known), Some("timeout"));
        assert_eq!(nearest("colour", known), None);
    }
}
