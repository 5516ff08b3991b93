//! How the daemon stands, in one line: what `systemctl status` shows.

use super::Daemon;
use super::waits::Waits;
use super::waits::Woke;
use super::waits::minute;

impl Daemon {
    /// As in `3 channels listening, 2 of 3 streams connected, 1,204 wait`, before that what is
    /// wrong with the ring.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let states = self.conditions().into_iter();
        let mut parts: Vec<_> = states
            .map(|condition| condition.name.to_uppercase())
            .collect();
        parts.push(self.counts().text());
        parts.join(", ")
    }

    /// Ends when the line may be another: the ring has changed, which is then told, or the minute
    /// is over. What happens from this call on is not missed.
    pub fn line_changes(&self) -> impl Future<Output = bool> + use<> {
        let change = self.shared.ring.schedule_event();
        let wait = Waits::on([change]).or_ready(minute());
        async { wait.await == Woke::Event }
    }

    /// Only what the line says: a whole status would read certificates each time.
    fn counts(&self) -> Counts {
        let (channels, streams) = (self.all_channels(), self.all_streams());
        let listens = channels.iter().filter(|it| !it.settings.listen.is_empty());
        let enabled = streams.iter().filter(|stream| stream.enabled.get());
        let backlog = |id| self.shared.ring.counters(id).backlog;
        Counts {
            listening: listens.map(|it| it.listening.error().is_none()).collect(),
            connected: enabled.map(|stream| stream.shown.connected.get()).collect(),
            backlog: streams.iter().map(|stream| backlog(stream.id)).sum(),
        }
    }
}

struct Counts {
    /// Of each channel that listens or should.
    listening: Vec<bool>,
    /// Of each stream that is enabled.
    connected: Vec<bool>,
    backlog: u64,
}

impl Counts {
    fn text(&self) -> String {
        format!(
            "{} listening, {} connected, {} wait",
            of("channel", &self.listening),
            of("stream", &self.connected),
            grouped(self.backlog)
        )
    }
}

/// `3 channels`, or `2 of 3 channels`.
fn of(noun: &str, states: &[bool]) -> String {
    let (all, good) = (states.len(), states.iter().filter(|good| **good).count());
    let plural = if all == 1 { "" } else { "s" };
    match good == all {
        true => format!("{all} {noun}{plural}"),
        false => format!("{good} of {all} {noun}{plural}"),
    }
}

/// `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_listens_what_is_connected_and_what_waits() {
        let counts = Counts {
            listening: vec![true, true],
            connected: vec![true, false],
            backlog: 1204,
        };
        let wanted = "2 channels listening, 1 of 2 streams connected, 1,204 wait";
        assert_eq!(counts.text(), wanted);
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
