//! When a device is answered: never before it is safe, in the order of its lines.

use crate::PLACE;
use crate::Tracker;
use crate::line;
use crate::support::channel::Connection;
use crate::support::channel::SILENCE;
use crate::tracker;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::queclink::Keys;
use weir::channel::queclink::Queclink;
use weir::channel::queclink::Units;

const BEAT: &str = "+ACK:GTHBD,250504,990000123456784,gv,20260314092653,0026$";

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn no_line_is_answered_before_it_is_safe_and_none_out_of_turn() {
    let mut tracker = tracker(true);
    let unread = "+RESP:GTINF,250504,990000123456784,gv,21,20260314092654,0003$";
    let all = [&line("GTFRI", 1), BEAT, unread, &line("GTGEO", 2), BEAT].concat();
    assert_eq!(tracker.send(all.as_bytes()), SILENCE);
    assert_eq!(tracker.intake.taken.len(), 2);
    let safe = text(tracker.make_safe());
    let beat = "+SACK:GTHBD,250504,0026$";
    // the second heartbeat is the same as the first, which was owed still
    assert_eq!(safe, format!("+SACK:0001${beat}+SACK:0003$+SACK:0002$"));
    // nothing is owed: it is answered at once
    assert_eq!(text(tracker.send(BEAT.as_bytes())), beat);
}

#[test]
fn a_line_that_comes_again_while_its_answer_is_owed_is_one() {
    let mut tracker = tracker(true);
    let again = line("GTFRI", 7).replacen("+RESP", "+BUFF", 1);
    for text in [&line("GTFRI", 7), &line("GTFRI", 7), &again] {
        assert_eq!(tracker.send(text.as_bytes()), SILENCE);
    }
    assert_eq!(tracker.intake.taken.len(), 1);
    assert_eq!(text(tracker.make_safe()), "+SACK:0007$");
    // later it is another
    tracker.send(again.as_bytes());
    assert_eq!(tracker.intake.taken.len(), 2);
}

#[test]
fn without_sack_only_heartbeats_are_answered() {
    let mut tracker = tracker(false);
    let all = [&line("GTFRI", 1), BEAT].concat();
    assert_eq!(
        text(tracker.send(all.as_bytes())),
        "+SACK:GTHBD,250504,0026$"
    );
    assert_eq!(tracker.make_safe(), SILENCE);
    assert!(tracker.intake.ack_tokens.is_empty());
}

#[test]
fn what_is_not_taken_is_not_answered() {
    for refusal in [Refusal::Full, Refusal::Ident, Refusal::Unwanted] {
        let mut tracker = tracker(true);
        tracker.intake.refusal = Some(refusal);
        let unread = "+RESP:GTINF,250504,990000123456784,gv,21,20260314092654,0003$";
        for text in [&line("GTFRI", 1), BEAT, unread] {
            assert_eq!(tracker.send(text.as_bytes()), SILENCE, "{refusal:?}");
        }
        assert_eq!(tracker.make_safe(), SILENCE);
        // once there is room it comes again
        tracker.intake.refusal = None;
        tracker.send(line("GTFRI", 1).as_bytes());
        assert_eq!(text(tracker.make_safe()), "+SACK:0001$");
    }
}

#[test]
fn a_datagram_is_whole_lines() {
    let keys = Keys {
        sack: true,
        ..Keys::default()
    };
    let mut sender: Tracker = Connection::new(Queclink::new(keys, Units::Datagram));
    let two = format!("{}\r\n{}\r\n", line("GTFRI", 1), line("GTFRI", 2));
    assert_eq!(sender.send_datagram(two.as_bytes()), SILENCE);
    assert_eq!(text(sender.make_safe()), "+SACK:0001$+SACK:0002$");
    sender.send_datagram(b"");
    sender.send_datagram(b"\r\n");
    assert_eq!(sender.intake.malformed, []);
    // a line without its end is none, and nothing of it is kept
    let cut = line("GTFRI", 3);
    sender.send_datagram(cut.trim_end_matches('$').as_bytes());
    assert_eq!(sender.intake.malformed, [InputError::Syntax]);
    sender.send_datagram(line("GTFRI", 4).as_bytes());
    assert_eq!(text(sender.make_safe()), "+SACK:0004$");
}

/// It would come again for ever.
#[test]
fn what_never_fits_into_the_ring_is_left_out_and_counted() {
    let keys = Keys {
        sack: true,
        text: true,
        ..Keys::default()
    };
    let mut tracker: Tracker = Connection::new(Queclink::new(keys, Units::Bytes));
    tracker.intake.room = Some(300);
    // the text goes with the last position
    let two = line("GTFRI", 7).replace(PLACE, &format!("{PLACE},{PLACE}"));
    let long = two.replace(",gv,", &format!(",{},", "x".repeat(300)));
    assert_eq!(tracker.send(long.as_bytes()), SILENCE);
    assert_eq!(tracker.intake.taken.len(), 1);
    assert_eq!(tracker.intake.too_long, 1);
    assert_eq!(text(tracker.make_safe()), "+SACK:0007$");
}

/// What was kept while there was no network comes in one go, by devices that await no answer.
#[test]
fn a_thousand_packets_in_one_go_are_all_taken_and_answered() {
    let mut tracker = tracker(true);
    let sent: Vec<_> = (0..1000).map(|count| line("GTFRI", count)).collect();
    let answers: Vec<_> = (0..1000)
        .map(|count| format!("+SACK:{count:04X}$"))
        .collect();
    let answered = tracker.send_without_waiting(sent.concat().as_bytes());
    assert_eq!(answered, answers.concat().as_bytes());
    assert_eq!((tracker.intake.taken.len(), &tracker.closed), (1000, &None));
}
