//! Wialon Retranslator packets against the channel that receives them: answers, values, the way
//! from weir to weir, and what broken packets get.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tests"
)]

mod broken;
mod generated;
mod vectors;

#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;
use support::channel::Connection;
use support::channel::SILENCE;
use support::naive_retranslator::Naive;
use support::naive_retranslator::naive_write;
use weir::channel::InputError;
use weir::channel::Refusal;
use weir::channel::wialon_retranslator::WialonRetranslator;
use weir::message::Message;
use weir::message::Value;
use weir::message::ValueRef;

fn connection() -> Connection<WialonRetranslator> {
    Connection::new(WialonRetranslator::new())
}

/// A packet with one number in it.
fn packet(uid: &str, number: i32) -> Vec<u8> {
    let block = Naive(0, 3, "n".into(), number.to_be_bytes().to_vec());
    naive_write(uid, 1_700_000_000, 0, &[block])
}

fn fields(message: &Message) -> Vec<(String, Value)> {
    message
        .fields()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect()
}

#[test]
fn nothing_is_answered_before_it_is_safe() {
    let mut sender = connection();
    let sent = [packet("a", 1), packet("b", 2), packet("c", 3)].concat();
    assert_eq!(sender.send(&sent), SILENCE);
    let idents: Vec<_> = sender.intake.taken.iter().map(Message::ident).collect();
    assert_eq!(idents, ["a", "b", "c"]);
    assert_eq!(sender.make_safe(), [0x11; 3]);
}

#[test]
fn what_nobody_wants_gets_no_answer_and_disturbs_no_other() {
    let refusals = [Refusal::Unwanted, Refusal::Ident, Refusal::TooLong];
    for refusal in refusals {
        let mut sender = connection();
        sender.intake.refusal = Some(refusal);
        assert_eq!(sender.send(&packet("a", 1)), SILENCE);
        sender.intake.refusal = None;
        assert_eq!(sender.send(&packet("b", 2)), SILENCE);
        assert_eq!(sender.make_safe(), [0x11]);
        assert_eq!(sender.closed, None);
    }
}

/// An answer to a later packet would be taken for that of the one which was not stored.
#[test]
fn nothing_behind_a_packet_that_the_ring_cannot_take_is_answered() {
    let mut sender = connection();
    sender.intake.refusal = Some(Refusal::Full);
    let sent = [packet("a", 1), packet("a", 2)].concat();
    assert_eq!(sender.send(&sent), SILENCE);
    sender.intake.refusal = None;
    assert!(sender.closed.is_some());
    assert_eq!((sender.make_safe(), sender.intake.taken), (vec![], vec![]));
}

/// A sender that waits for each answer takes a second one for that of its next packet.
#[test]
fn a_packet_that_is_sent_again_before_its_answer_is_answered_once() {
    let mut sender = connection();
    sender.send(&packet("a", 1));
    sender.pass(Duration::from_secs(5));
    sender.send(&packet("a", 1));
    assert_eq!(
        (sender.intake.taken.len(), sender.make_safe()),
        (1, vec![0x11])
    );
    // one that does not wait may well say the same twice
    sender.send(&packet("a", 1).repeat(2));
    assert_eq!(sender.make_safe(), [0x11; 2]);
}

#[test]
fn a_sender_that_never_waits_is_made_to() {
    let mut sender = connection();
    for number in 0..2000 {
        sender.send(&packet("a", number));
    }
    assert_eq!(sender.intake.taken.len(), 1024);
    assert_eq!(sender.make_safe(), [0x11; 1024]);
    sender.send(&[]);
    assert_eq!(sender.intake.taken.len(), 2000);
}

#[test]
fn blocks_become_parameters_whatever_flags_say() {
    let integer = |name: &str, number: i32| Naive(9, 3, name.into(), number.to_be_bytes().into());
    let float = |name: &str, number: f64| Naive(0, 4, name.into(), number.to_le_bytes().into());
    let text = |name: &str, text: &[u8]| Naive(1, 1, name.into(), text.into());
    let mut position = [25.5_f64, 54.25, 100.0].map(f64::to_le_bytes).concat();
    position.extend([0, 63, 1, 103, 0xFF]);
    let blocks = [
        integer("avl_inputs", -1),
        integer("avl_outputs", 5),
        integer("gsm", 60),
        integer("ign", 1),
        float("adc2", 1.5),
        float("pwr_ext", 12.5),
        float("pwr_int", f64::NAN),
        Naive(0, 2, "posinfo".into(), position),
        text("avl_driver", b"AB 12\0"),
        integer("cell_id", 7),
        integer("vehicle_mileage", 9),
        integer("custom_param_72", -3),
        integer("own_name_", 1),
        integer("image_", 1),
        text("ident", b"me\0"),
        Naive(0, 6, "image".into(), vec![0; 25]),
    ];
    let mut sender = connection();
    sender.send(&naive_write("a", 7, 0, &blocks));
    let number = |name: &str, number: u64| (name.to_owned(), Value::U64(number));
    let float = |name: &str, number: f64| (name.to_owned(), Value::F64(number));
    let expected = [
        ("ident".into(), Value::from("a")),
        number("timestamp", 7),
        number("din", 0xFFFF_FFFF),
        number("dout", 5),
        number("gsm.signal.level", 60),
        ("engine.ignition.status".into(), Value::Bool(true)),
        float("ain.2", 1.5),
        float("external.powersource.voltage", 12.5),
        ("battery.voltage".into(), Value::Null),
        float("position.latitude", 54.25),
        float("position.longitude", 25.5),
        float("position.altitude", 100.0),
        number("position.speed", 63),
        number("position.direction", 359),
        number("position.satellites", 255),
        ("position.valid".into(), Value::Bool(true)),
        ("driver.code".into(), Value::from("AB 12")),
        number("gsm.cellid", 7),
        number("vehicle.mileage", 9),
        ("custom.param.72".into(), Value::I64(-3)),
        number("own_name_", 1),
        number("image", 1),
        ("ident_".into(), Value::from("me")),
    ];
    assert_eq!(fields(&sender.intake.taken[0]), expected);
    assert_eq!(sender.make_safe(), [0x11]);
}

#[test]
fn an_alarm_is_a_flag() {
    let mut sender = connection();
    sender.send(&naive_write("a", 7, 0x13, &[]));
    let alarm = sender.intake.taken[0].get("alarm.status");
    assert_eq!(alarm, Some(ValueRef::Bool(true)));
    assert_eq!(sender.intake.malformed, [] as [InputError; 0]);
}
