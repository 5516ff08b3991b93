//! The drawing: a snapshot as text, a picture of 80 columns or a line. Knows no terminal.

use super::outage::Presence;
use super::snapshot::History;
use super::snapshot::Phase;
use super::snapshot::Seen;
use super::snapshot::Snapshot;
use super::vehicle::Protocol;
use std::time::Duration;

/// How a picture may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) paint: Paint,
    pub(super) glyphs: Glyphs,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// Those of the terminal's own palette.
    Colored,
    /// None.
    Plain,
}

/// What lines and bars are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glyphs {
    /// What joins the first, the middle, the last and each other vehicle to the ring.
    joints: [&'static str; 4],
    arrow: &'static str,
    full: &'static str,
    free: &'static str,
    /// From nothing to all.
    levels: [char; 9],
    away: char,
}

#[derive(Clone, Copy)]
enum Color {
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

/// One snapshot, with what came before it.
pub(super) struct Drawing<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) history: &'a History,
    pub(super) look: Look,
}

impl Drawing<'_> {
    /// The picture: always the same number of lines for the same vehicles, each with its end.
    pub(super) fn picture(&self) -> String {
        let mut text = format!("\n{}\n\n{}\n", self.title(), self.paint(Color::Dim, HEADS));
        for (index, vehicle) in self.snapshot.vehicles.iter().enumerate() {
            let (left, joint) = (self.vehicle(vehicle), self.joint(index, vehicle.link));
            let (ring, arrow, receiver) = self.right(index);
            text.push_str(&format!("{left}{joint} {ring} {arrow} {receiver}\n"));
        }
        text.push_str(&self.curve());
        text
    }

    fn title(&self) -> String {
        let elapsed = clock(self.snapshot.elapsed);
        let what = match (self.snapshot.phase, self.snapshot.length) {
            (Phase::Driving, Some(length)) => format!("{elapsed} of {}", clock(length)),
            (Phase::Driving, None) => elapsed,
            (Phase::Draining | Phase::Done, _) => format!("{elapsed}, delivering what waits"),
        };
        let left = format!(" weir demo   {what}");
        let right = self.paint(Color::Dim, "Ctrl-C ends it and counts");
        format!("{left:<54}{right}")
    }

    fn vehicle(&self, vehicle: &Seen) -> String {
        let Seen {
            name, fix, account, ..
        } = vehicle;
        let protocol = match vehicle.protocol {
            Protocol::Teltonika => "teltonika",
            Protocol::Json => "json",
            Protocol::Can => "can",
        };
        let (sent, acked) = (account.sent, account.acked);
        let place = match vehicle.link {
            Presence::Here => {
                format!(
                    "{:7.4} {:7.4} {:>2} km/h",
                    fix.latitude, fix.longitude, fix.speed
                )
            }
            Presence::Away => self.paint(Color::Yellow, &format!("{:<23}", "no coverage")),
        };
        format!(" {name:<6} {protocol:<9} {place} {sent:>6}{acked:>6} ")
    }

    /// What joins a vehicle to the ring.
    fn joint(&self, index: usize, link: Presence) -> String {
        let [first, middle, last, other] = self.look.glyphs.joints;
        let count = self.snapshot.vehicles.len();
        let joint = match index {
            0 => format!("{first} "),
            _ if index == count / 2 => middle.to_owned(),
            _ if index + 1 == count => format!("{last} "),
            _ => format!("{other} "),
        };
        match link {
            Presence::Here => joint,
            Presence::Away => [' '].into_iter().chain(joint.chars().skip(1)).collect(),
        }
    }

    /// What stands right of a vehicle: of the ring, between, of the receiver.
    fn right(&self, index: usize) -> (String, &'static str, String) {
        let middle = self.snapshot.vehicles.len() / 2;
        let (rates, backlog) = (self.history.rates(), self.snapshot.backlog);
        let column = |text: String| format!("{text:<10}");
        match (index + 1).checked_sub(middle) {
            Some(0) => (column(format!("{backlog} wait")), "  ", self.presence()),
            Some(1) => (
                self.bar(),
                self.look.glyphs.arrow,
                self.snapshot.delivered.to_string(),
            ),
            Some(2) => (
                column(format!("{}/s", rates.stored)),
                "  ",
                format!("{}/s", rates.delivered),
            ),
            _ => (column(String::new()), "  ", String::new()),
        }
    }

    fn presence(&self) -> String {
        match self.snapshot.receiver {
            Presence::Here => self.paint(Color::Green, "up"),
            Presence::Away => self.paint(Color::Red, "away"),
        }
    }

    /// The backlog in parts of the longest one so far.
    fn bar(&self) -> String {
        let full = level(self.snapshot.backlog, self.history.peak(), BAR_LEN);
        let Glyphs {
            full: mark, free, ..
        } = self.look.glyphs;
        let free = free.repeat(BAR_LEN.saturating_sub(full));
        self.paint(Color::Cyan, &format!("{}{free}", mark.repeat(full)))
    }

    /// How the backlog came and went, and under it when the receiver was away.
    fn curve(&self) -> String {
        let (mut levels, mut away) = (String::new(), String::new());
        let Glyphs {
            levels: glyphs,
            away: mark,
            ..
        } = self.look.glyphs;
        for moment in self.history.moments() {
            let height = level(moment.backlog, self.history.peak(), glyphs.len() - 1);
            levels.push(glyphs.get(height).copied().unwrap_or(' '));
            away.push(if moment.receiver == Presence::Away {
                mark
            } else {
                ' '
            });
        }
        let (span, peak) = (self.history.span().as_secs(), self.history.peak());
        let head = format!(
            " what waited in the ring, the last {span} s, at most {peak}; below: receiver away"
        );
        format!(
            "\n{}\n {}\n {}\n",
            self.paint(Color::Dim, &head),
            self.paint(Color::Cyan, &levels),
            self.paint(Color::Red, &away)
        )
    }

    fn paint(&self, color: Color, text: &str) -> String {
        let code = match color {
            _ if self.look.paint == Paint::Plain => return text.to_owned(),
            Color::Dim => 2,
            Color::Red => 31,
            Color::Green => 32,
            Color::Yellow => 33,
            Color::Cyan => 36,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// The snapshot in one line, for logs and pipes.
    pub(super) fn line(&self) -> String {
        let Snapshot {
            stored,
            backlog,
            delivered,
            duplicated,
            ..
        } = *self.snapshot;
        let total = |part: fn(&Seen) -> u64| self.snapshot.vehicles.iter().map(part).sum::<u64>();
        let (sent, acked) = (
            total(|seen| seen.account.sent),
            total(|seen| seen.account.acked),
        );
        let receiver = name(self.snapshot.receiver);
        format!(
            "{:>6}  sent {sent} acked {acked}  stored {stored} waiting {backlog}  \
             delivered {delivered} repeated {duplicated}  receiver {receiver}",
            clock(self.snapshot.elapsed)
        )
    }

    /// The receiver has gone or is back, in one line.
    pub(super) fn turn(&self) -> String {
        let backlog = self.snapshot.backlog;
        let what = match self.snapshot.receiver {
            Presence::Here => format!("the receiver is back, {backlog} messages wait for it"),
            Presence::Away => "the receiver goes away, its connections are cut".to_owned(),
        };
        format!("{:>6}  {what}", clock(self.snapshot.elapsed))
    }
}

fn name(receiver: Presence) -> &'static str {
    match receiver {
        Presence::Here => "up",
        Presence::Away => "away",
    }
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// A part of `all` as a number of `steps`: none only for nothing.
fn level(part: u64, all: u64, steps: usize) -> usize {
    let steps = steps as u64;
    let level = part.saturating_mul(steps).div_ceil(all.max(1));
    usize::try_from(level.min(steps)).unwrap_or(0)
}

/// For terminals that show what Unicode has.
pub(super) const UNICODE: Glyphs = Glyphs {
    joints: ["─┐", "─┼▶", "─┘", "─┤"],
    arrow: "─▶",
    full: "█",
    free: "░",
    levels: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    away: '▔',
};

/// For all others.
pub(super) const ASCII: Glyphs = Glyphs {
    joints: ["-.", "-+>", "-'", "-|"],
    arrow: "->",
    full: "#",
    free: ".",
    levels: [' ', '.', ':', '-', '=', '+', 'o', '#', '@'],
    away: '^',
};

const HEADS: &str =
    " vehicle speaks     north    east   speed   sent acked     ring         receiver";

const BAR_LEN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::snapshot::MOMENTS_MAX;
    use crate::demo::snapshot::tests::snapshot;

    fn history() -> History {
        let mut history = History::default();
        for tick in 0..200 {
            let elapsed = Duration::from_millis(tick * 200);
            let receiver = if tick % 30 < 10 {
                Presence::Away
            } else {
                Presence::Here
            };
            history.note(&Snapshot {
                elapsed,
                backlog: tick % 30,
                receiver,
                ..snapshot()
            });
        }
        history
    }

    fn picture(paint: Paint, glyphs: Glyphs) -> String {
        let look = Look { paint, glyphs };
        Drawing {
            snapshot: &snapshot(),
            history: &history(),
            look,
        }
        .picture()
    }

    /// The text without its colours.
    fn bare(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |bare, part| {
            bare + part.split_once('m').map_or("", |(_, rest)| rest)
        })
    }

    #[test]
    fn no_line_of_the_picture_is_wider_than_a_terminal() {
        for glyphs in [UNICODE, ASCII] {
            let picture = bare(&picture(Paint::Colored, glyphs));
            for line in picture.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let plain = picture(Paint::Plain, UNICODE);
        assert!(!plain.contains('\x1b'));
        assert_eq!(bare(&picture(Paint::Colored, UNICODE)), plain);
    }

    #[test]
    fn ascii_is_ascii() {
        assert!(picture(Paint::Colored, ASCII).is_ascii());
    }

    #[test]
    fn the_picture_shows_vehicles_ring_and_receiver() {
        let picture = picture(Paint::Plain, UNICODE);
        let row = "bus 1  teltonika 52.5145 13.3501 48 km/h  12345 12300 ─┐  150 wait      away";
        assert!(picture.contains(row), "{picture}");
        assert!(picture.contains("0:12 of 0:30"));
        assert!(picture.contains("no coverage"));
        assert!(picture.contains(" ─▶ 36800"));
    }

    #[test]
    fn the_curve_stands_over_the_outages_that_made_it() {
        let picture = picture(Paint::Plain, UNICODE);
        let lines: Vec<&str> = picture.lines().collect();
        let curve = lines[lines.len() - 2];
        assert_eq!(curve.chars().count(), MOMENTS_MAX + 1);
        assert!(curve.contains("█ ▁") && lines[lines.len() - 1].contains(" ▔▔▔▔▔▔▔▔▔▔ "));
    }

    #[test]
    fn a_line_says_it_all_without_claiming_a_balance() {
        let look = Look {
            paint: Paint::Plain,
            glyphs: ASCII,
        };
        let (snapshot, history) = (snapshot(), history());
        let drawing = Drawing {
            snapshot: &snapshot,
            history: &history,
            look,
        };
        let wanted = "  0:12  sent 37035 acked 36900  stored 37000 waiting 150  \
                      delivered 36800 repeated 12  receiver away";
        assert_eq!(drawing.line(), wanted);
        assert!(drawing.turn().contains("goes away"));
    }

    #[test]
    fn a_level_is_empty_for_nothing_and_full_for_all() {
        assert_eq!(
            [0, 1, 50, 99, 100].map(|part| level(part, 100, 8)),
            [0, 1, 4, 8, 8]
        );
    }
}
