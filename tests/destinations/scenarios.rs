//! The four troubles. Each ends with counters that add up.

use crate::asking;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::IDENTS;
use crate::row::MARK;
use crate::row::REFUSED;
use crate::row::Row;
use crate::weir::Lines;
use crate::weir::Weir;
use crate::weir::eventually;
use crate::weir::free_port;
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::ops::Range;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// What was sent before, what waits, and what is on its way at a second end: all of it arrives.
pub(crate) fn away_and_back(row: &Row) {
    let mut play = Play::start(row, None);
    play.send(0..10);
    play.await_all_taken(10);
    play.counterpart.leave();
    play.send(10..40);
    eventually("it was tried", || {
        play.weir.log().contains("stream `cloud`: ")
    });
    assert_eq!(play.count("backlog"), 30, "what waits is not lost");
    play.counterpart.come_back();
    play.await_all_taken(40);
    play.send(40..80);
    play.counterpart.leave();
    play.counterpart.come_back();
    play.send(80..90);
    play.await_all_taken(90);
    play.assert_counted(90, 0);
}

pub(crate) fn wrong_credentials(row: &Row) {
    let Has::Yes(login) = &row.login else {
        return skipped(row, &row.login);
    };
    let play = Play::start(row, Some((login.right, login.wrong)));
    play.send(0..10);
    play.weir.await_log(login.named);
    assert_eq!(play.count("backlog"), 10, "a login costs no message");
    assert_eq!(play.counterpart.taken(), [0; 0], "nobody is let in");
    play.weir.reload(&play.config(None));
    play.await_all_taken(10);
    play.assert_counted(10, 0);
    for secret in [login.right, login.wrong] {
        let is_said = login.is_secret && play.weir.log().contains(secret);
        assert!(!is_said, "`{secret}` stands in the log");
    }
}

pub(crate) fn one_refused(row: &Row) {
    let Has::Yes(refusal) = &row.refusal else {
        return skipped(row, &row.refusal);
    };
    let odd = |number| message(number, REFUSED, &format!("\"mark\":\"{MARK}\""));
    one_given_up(row, odd, refusal.said);
}

pub(crate) fn one_too_large(row: &Row) {
    let Has::Yes(limit) = &row.limit else {
        return skipped(row, &row.limit);
    };
    let odd = |number| message(number, ident(number), &(limit.large)());
    one_given_up(row, odd, limit.said);
}

/// One odd message among others.
fn one_given_up(row: &Row, odd: impl Fn(u64) -> String, said: &str) {
    let play = Play::start(row, None);
    let mut lines = Lines::connect(play.port);
    for number in 0..20 {
        lines.send(&match number {
            ODD => odd(number),
            _ => message(number, ident(number), "\"mark\":\"-\""),
        });
    }
    lines.await_acked(20);
    play.await_taken(&|number| number != ODD, 20);
    play.assert_counted(19, 1);
    eventually("it is kept", || play.rejects().len() == 1);
    let kept = play.rejects().remove(0);
    assert_eq!(kept["message"]["seq"], ODD, "{kept}");
    let reason = kept["reason"].as_str().unwrap();
    assert!(reason.contains(said), "no `{said}` in `{reason}`");
}

/// A daemon with one channel and one stream, and the far end of that.
pub(crate) struct Play {
    row: &'static str,
    pub(crate) counterpart: Box<dyn Counterpart>,
    port: u16,
    pub(crate) weir: Weir,
}

impl Play {
    /// Text in the keys of the stream is replaced.
    pub(crate) fn start(row: &Row, replaced: Option<(&str, &str)>) -> Self {
        let (counterpart, port) = ((row.start)(), free_port());
        let config = config(row.name, port, &counterpart.keys(), replaced);
        let weir = Weir::start(row.name, &config);
        Self {
            row: row.name,
            counterpart,
            port,
            weir,
        }
    }

    pub(crate) fn config(&self, replaced: Option<(&str, &str)>) -> String {
        config(self.row, self.port, &self.counterpart.keys(), replaced)
    }

    /// Returns once all are safe.
    pub(crate) fn send(&self, numbers: Range<u64>) {
        let (mut lines, count) = (Lines::connect(self.port), numbers.end - numbers.start);
        numbers.for_each(|number| lines.send(&message(number, ident(number), "\"mark\":\"-\"")));
        lines.await_acked(count);
    }

    pub(crate) fn await_all_taken(&self, count: u64) {
        self.await_taken(&|_| true, count);
    }

    /// Waits until the far end has all of the first numbers that it is to have, and sees that those
    /// of each ident came in order.
    fn await_taken(&self, is_taken: &dyn Fn(u64) -> bool, count: u64) {
        let wanted: HashSet<u64> = (0..count).filter(|number| is_taken(*number)).collect();
        eventually("all arrive", || {
            HashSet::from_iter(self.counterpart.taken()) == wanted
        });
        eventually("all is settled", || self.count("backlog") == 0);
        let mut seen = HashSet::new();
        let taken = self.counterpart.taken().into_iter();
        let first: Vec<u64> = taken.filter(|number| seen.insert(*number)).collect();
        for turn in 0..IDENTS.len() as u64 {
            let of_one = first.iter().filter(|it| **it % IDENTS.len() as u64 == turn);
            assert!(of_one.is_sorted(), "out of order: {first:?}");
        }
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        asking::count(&self.weir, "cloud", key)
    }

    /// Nothing else became of any. What cannot be sent at all counts as skipped.
    pub(crate) fn assert_counted(&self, accepted: u64, not_taken: u64) {
        let all = asking::stream(&self.weir, "cloud");
        let of = |key: &str| all[key].as_u64().unwrap();
        assert_eq!(of("stored"), accepted + not_taken, "{all}");
        assert_eq!(of("accepted"), accepted, "{all}");
        assert_eq!(of("given_up") + of("skipped_filter"), not_taken, "{all}");
    }

    fn rejects(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.weir.folder.join("rejects")).unwrap_or_default();
        let lines = text.lines().map(serde_json::from_str);
        lines.map(Result::unwrap).collect()
    }
}

fn config(kind: &str, port: u16, keys: &str, replaced: Option<(&str, &str)>) -> String {
    let mut keys = keys.to_owned();
    if let Some((right, wrong)) = replaced {
        assert!(keys.contains(right), "no `{right}` in\n{keys}");
        keys = keys.replace(right, wrong);
    }
    format!(
        "[ring]\nfile = \"@/ring\"\nsize = \"1 MiB\"\n\
         commit = {{ delay = \"5ms\", hold = \"0s\" }}\n\
         [api]\nlisten = \"unix:@/api\"\n\
         [[channel]]\nname = \"in\"\ntype = \"json\"\nlisten = \"127.0.0.1:{port}\"\n\
         [[stream]]\nname = \"cloud\"\ntype = \"{kind}\"\nchannels = [\"*\"]\n\
         retry = {{ min = \"50ms\", max = \"200ms\" }}\n\
         rejects = {{ file = \"@/rejects\", size = \"1 MiB\" }}\n{keys}\n"
    )
}

fn ident(number: u64) -> &'static str {
    IDENTS[usize::try_from(number).unwrap() % IDENTS.len()]
}

/// Measured just now: some destinations take nothing old.
fn message(number: u64, ident: &str, more: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!(
        "{{\"ident\":\"{ident}\",\"timestamp\":{},\"position.latitude\":54.6872,\
         \"position.longitude\":25.2797,\"position.speed\":{},\"seq\":{number},{more}}}",
        now.as_secs() - 200 + number,
        number % 110
    )
}

fn skipped<T>(row: &Row, has: &Has<T>) {
    if let Has::No(why) = has {
        println!("skipped: `{}`: {why}", row.name);
    }
}

/// The number of the odd message.
const ODD: u64 = 7;
