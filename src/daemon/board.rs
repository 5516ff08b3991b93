//! The board: the last report of each stream, each channel and the ring, and which of them have
//! changed. Knows no time and nobody who looks.

use crate::api::Status;
use serde::Serialize;

/// All states.
#[derive(Debug, Default)]
pub(super) struct Board {
    states: Vec<State>,
    last: u64,
}

#[derive(Debug)]
struct State {
    path: String,
    /// A JSON object; empty: it is there no more.
    json: String,
    /// The number of its last change: no two states have the same.
    change: u64,
}

impl Board {
    /// The number of the last change.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Takes over how all stands now; whether anything has changed.
    pub(super) fn update(&mut self, status: &Status) -> bool {
        let before = self.last;
        let mut known = vec!["ring".to_owned()];
        self.put("ring", &status.ring);
        for stream in &status.streams {
            let path = format!("streams/{}", level(&stream.name));
            self.put(&path, stream);
            known.push(path);
        }
        for channel in &status.channels {
            let path = format!("channels/{}", level(&channel.name));
            self.put(&path, channel);
            known.push(path);
        }
        self.states
            .retain(|state| !state.json.is_empty() || state.change + GONE_MAX > before);
        for state in &mut self.states {
            if !state.json.is_empty() && !known.contains(&state.path) {
                self.last += 1;
                (state.json, state.change) = (String::new(), self.last);
            }
        }
        self.last > before
    }

    fn put(&mut self, path: &str, report: &impl Serialize) {
        let json = serde_json::to_string(report).unwrap_or_default();
        let known = self.states.iter_mut().find(|state| state.path == path);
        match known {
            Some(known) if known.json == json => {}
            Some(known) => {
                self.last += 1;
                (known.json, known.change) = (json, self.last);
            }
            None => {
                self.last += 1;
                self.states.push(State {
                    path: path.to_owned(),
                    json,
                    change: self.last,
                });
            }
        }
    }

    /// Shows what has changed after this number, in the order of the changes, until one is not
    /// taken; moves the number on.
    pub(super) fn show(&self, after: &mut u64, take: &mut dyn FnMut(u64, &str, &str) -> bool) {
        loop {
            let changed = self.states.iter().filter(|state| state.change > *after);
            let Some(next) = changed.min_by_key(|state| state.change) else {
                return;
            };
            if !take(next.change, &next.path, &next.json) {
                return;
            }
            *after = next.change;
        }
    }
}

/// A name as one level of a topic.
fn level(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '/' | '+' | '#' | '%' => text.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_control() => text.push_str(&format!("%{:02X}", u32::from(c))),
            c => text.push(c),
        }
    }
    text
}

/// That a state is there no more is forgotten after so many changes of others.
const GONE_MAX: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ChannelReport;
    use crate::api::StreamReport;

    fn status(streams: &[(&str, u64)]) -> Status {
        let stream = |(name, backlog): &(&str, u64)| StreamReport {
            name: (*name).to_owned(),
            backlog: *backlog,
            ..StreamReport::default()
        };
        Status {
            streams: streams.iter().map(stream).collect(),
            channels: vec![ChannelReport::default()],
            ..Status::default()
        }
    }

    fn shown(board: &Board, mut after: u64) -> Vec<(String, bool)> {
        let mut shown = Vec::new();
        board.show(&mut after, &mut |_, path, json| {
            shown.push((path.to_owned(), json.is_empty()));
            true
        });
        assert_eq!(after, board.last());
        shown
    }

    #[test]
    fn only_what_has_changed_is_shown_and_in_that_order() {
        let mut board = Board::default();
        assert!(board.update(&status(&[("a", 0), ("b", 0)])));
        assert_eq!(shown(&board, 0).len(), 4);
        let told = board.last();
        assert!(!board.update(&status(&[("a", 0), ("b", 0)])));
        assert_eq!(shown(&board, told), []);
        board.update(&status(&[("a", 0), ("b", 1)]));
        board.update(&status(&[("a", 1), ("b", 1)]));
        let changed = ["streams/b", "streams/a"].map(|path| (path.to_owned(), false));
        assert_eq!(shown(&board, told), changed);
        assert_eq!(shown(&board, told + 1), changed[1..]);
    }

    #[test]
    fn what_is_there_no_more_is_said_once_and_then_forgotten() {
        let mut board = Board::default();
        board.update(&status(&[("a/b", 0)]));
        let told = board.last();
        board.update(&status(&[]));
        assert_eq!(shown(&board, told), [("streams/a%2Fb".to_owned(), true)]);
        for backlog in 0..2 * GONE_MAX {
            board.update(&status(&[("c", backlog)]));
        }
        assert_eq!(board.states.len(), 3);
    }
}
