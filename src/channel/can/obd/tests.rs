//! The manners of asking.

use super::*;
use crate::message::Value;

/// A car, in which others are heard twice a second, or are not.
struct Car {
    obd: Obd,
    now: Duration,
    is_awake: bool,
    told: Vec<(String, Value)>,
}

impl Car {
    fn new(settings: Settings) -> Self {
        Self {
            obd: Obd::new(settings),
            now: Duration::from_secs(100),
            is_awake: true,
            told: Vec::new(),
        }
    }

    fn hear(&mut self, id: Id, data: &[u8]) {
        let frame = Frame::new(id, data).unwrap();
        let told = &mut |name: &str, value| self.told.push((name.to_owned(), value));
        self.obd.frame(self.now, &frame, told);
    }

    fn answer(&mut self, unit: u16, data: &[u8]) {
        self.hear(Id::Standard(0x7E8 + unit), data);
    }

    /// The first frame that is sent within so long, and when.
    fn sent_within(&mut self, millis: u64) -> Option<Frame> {
        let end = self.now + Duration::from_millis(millis);
        while self.now < end {
            if self.is_awake && self.now.subsec_millis().is_multiple_of(500) {
                self.hear(Id::Standard(0x123), &[0]);
            }
            let is_due = self.obd.wake_at().is_some_and(|at| at <= self.now);
            let mut out = Vec::new();
            self.obd.poll(self.now, &mut out);
            assert!(is_due || out.is_empty(), "sent and not named before");
            if let Some(frame) = out.first() {
                assert_eq!(out.len(), 1);
                return Some(*frame);
            }
            self.now += Duration::from_millis(10);
        }
        None
    }

    /// The bytes of the next question.
    fn question(&mut self) -> Vec<u8> {
        let frame = self.sent_within(20_000).expect("a question");
        assert_eq!(frame.id, Id::Standard(0x7DF));
        let len = usize::from(frame.data()[0]);
        assert_eq!(frame.data().len(), 8);
        frame.data()[1..=len].to_vec()
    }

    /// Says that it has nothing else, until it is asked for `wanted`.
    fn asked(&mut self, wanted: &[u8]) {
        loop {
            let question = self.question();
            if question == wanted {
                return;
            }
            self.answer(0, &[3, 0x7F, question[0], 0x22]);
        }
    }

    /// It says that it has a few readings.
    fn introduce(&mut self) {
        assert_eq!(self.question(), [1, 0]);
        // 0C and 0D
        self.answer(0, &[6, 0x41, 0, 0, 0x18, 0, 0]);
    }
}

#[test]
fn first_it_asks_what_there_is_and_then_only_that() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    let mut asked: Vec<_> = (0..5)
        .map(|_| {
            let question = car.question();
            let refusal = [3, 0x7F, question[0], 0x22];
            car.answer(0, &refusal);
            question
        })
        .collect();
    asked.sort_unstable();
    let once = [vec![3], vec![7], vec![9, 2]];
    let readings = [vec![1, 0x0C], vec![1, 0x0D]];
    assert_eq!(asked, [&readings[..], &once].concat());
    // readings come again, and nothing else in this drive
    for _ in 0..6 {
        let question = car.question();
        assert!(matches!(question[..], [1, 0x0C | 0x0D]), "{question:?}");
        car.answer(0, &[4, 0x41, question[1], 1, 2]);
    }
}

#[test]
fn questions_keep_their_distance() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    let mut last = car.now;
    for _ in 0..5 {
        let question = car.question();
        assert!(car.now - last >= GAP, "{:?}", car.now - last);
        last = car.now;
        car.answer(0, &[3, 0x7F, question[0], 0x22]);
    }
    let first = car.question();
    assert!(car.now - last >= Duration::from_secs(9));
    assert_eq!(first[0], 1);
}

#[test]
fn one_that_is_silent_does_not_hold_up_the_others() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    let (end, mut count) = (car.now + Duration::from_secs(60), [0, 0]);
    while car.now < end {
        let question = car.question();
        match question[..] {
            [1, 0x0C] => {
                car.answer(0, &[4, 0x41, 0x0C, 1, 2]);
                count[0] += 1;
            }
            // nor is it asked more often
            [1, 0x0D] => count[1] += 1,
            // of VIN and codes there is nothing now
            _ => car.answer(0, &[3, 0x7F, question[0], 0x22]),
        }
    }
    assert!(count[0] >= 5 && count[1] <= 7, "{count:?}");
}

#[test]
fn codes_of_all_units_are_told_once_and_pending_ones_apart() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    car.asked(&[3]);
    car.answer(0, &[6, 0x43, 2, 3, 1, 0xC1, 0x23]);
    car.answer(1, &[6, 0x43, 2, 3, 1, 0x04, 0x20]);
    // that is of another question
    car.answer(1, &[4, 0x47, 1, 0x01, 0x10]);
    car.asked(&[7]);
    car.answer(0, &[4, 0x47, 1, 0x01, 0x10]);
    let codes = |text: &str| Value::Json(text.into());
    let dtc = |name: &str, text| (name.to_owned(), codes(text));
    let expected = [
        dtc("dtc", "[\"P0301\",\"U0123\"]"),
        dtc("dtc", "[\"P0301\",\"U0123\",\"P0420\"]"),
        dtc("dtc.pending", "[\"P0110\"]"),
    ];
    assert_eq!(car.told, expected);
}

#[test]
fn of_several_units_that_with_the_lowest_id_counts() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    while car.question() != [1, 0x0D] {}
    for (unit, speed) in [(2, 70), (1, 80), (3, 90)] {
        car.answer(unit, &[3, 0x41, 0x0D, speed]);
    }
    let speeds = [70_u64, 80].map(|speed| ("can.vehicle.speed".to_owned(), Value::U64(speed)));
    assert_eq!(car.told, speeds);
}

#[test]
fn a_sleeping_vehicle_stays_asleep() {
    let mut car = Car::new(Settings::default());
    car.is_awake = false;
    assert_eq!(car.sent_within(60_000), None);

    let mut car = Car::new(Settings::default());
    for _ in 0..SILENCES_MAX {
        let before = car.now;
        assert_eq!(car.question(), [1, 0]);
        assert!(car.now - before < Duration::from_secs(2));
        car.now += Duration::from_millis(10);
    }
    let paused = car.now;
    assert_eq!(car.sent_within(57_000), None);
    car.is_awake = false;
    assert_eq!(car.sent_within(60_000), None);
    car.is_awake = true;
    assert_eq!(car.question(), [1, 0]);
    assert!(car.now - paused >= PAUSE);
}

#[test]
fn what_is_refused_is_asked_no_more() {
    for (reason, again) in [(0x12, false), (0x31, false), (0x21, true)] {
        let mut car = Car::new(Settings::default());
        car.introduce();
        let mut count = 0;
        for _ in 0..12 {
            let question = car.question();
            if question == [1, 0x0C] {
                count += 1;
                car.answer(0, &[3, 0x7F, 1, reason]);
            } else {
                car.answer(0, &[3, 0x7F, question[0], 0x22]);
            }
        }
        assert_eq!(count > 1, again, "{reason:x}");
    }
}

#[test]
fn an_answer_may_take_longer_if_the_unit_says_so() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    while car.question() != [1, 0x0D] {}
    car.answer(0, &[3, 0x7F, 1, PENDING]);
    assert_eq!(car.sent_within(4500), None);
    car.answer(0, &[3, 0x41, 0x0D, 80]);
    assert_eq!(car.told.len(), 1);
}

#[test]
fn a_bus_of_j1939_is_not_asked_unless_forced() {
    for (id, forced, asks) in [
        (0x18FE_F100, false, false),
        (0x0CF0_0400, false, false),
        (0x0CF0_0400, true, true),
        (0x18DB_0000, false, true),
    ] {
        let settings = Settings {
            forced,
            ..Settings::default()
        };
        let mut car = Car::new(settings);
        car.hear(Id::Extended(id), &[0xFF; 8]);
        assert_eq!(car.sent_within(5000).is_some(), asks, "{id:x} {forced}");
        assert_eq!(car.obd.is_held_back(), !asks);
    }
}

#[test]
fn after_an_error_nothing_is_sent_any_more() {
    let mut car = Car::new(Settings::default());
    car.introduce();
    car.obd.stop();
    assert_eq!(car.sent_within(120_000), None);
    assert!(car.obd.manners.is_stopped() && car.obd.wake_at().is_none());
}

#[test]
fn a_new_drive_asks_for_the_vin_again() {
    let mut car = Car::new(Settings::default());
    let vins = |car: &mut Car| {
        let mut count = 0;
        for _ in 0..9 {
            let question = car.question();
            count += usize::from(question == [9, 2]);
            car.answer(0, &[3, 0x7F, question[0], 0x22]);
        }
        count
    };
    car.introduce();
    assert_eq!(vins(&mut car), 1);
    car.is_awake = false;
    assert_eq!(car.sent_within(90_000), None);
    car.is_awake = true;
    assert_eq!(vins(&mut car), 1);
}

#[test]
fn a_wide_bus_has_other_ids() {
    let settings = Settings {
        wide: true,
        ..Settings::default()
    };
    let mut car = Car::new(settings);
    let question = car.sent_within(1000).unwrap();
    assert_eq!(question.id, Id::Extended(0x18DB_33F1));
    let unit = Id::Extended(0x18DA_F110);
    // of service 01 the answer is short; a unit may have it in several frames all the same
    car.hear(unit, &[0x10, 8, 0x41, 0, 0, 0x18, 0, 0]);
    let flow = car.sent_within(100).unwrap();
    assert_eq!(flow.id, Id::Extended(0x18DA_10F1));
    assert_eq!(flow.data(), isotp::FLOW);
    car.hear(unit, &[0x21, 0, 0, 0x55]);
    assert!(car.obd.asks(1, 0x0C) && !car.obd.asks(1, 0x05));
}

#[test]
fn what_nobody_asked_for_tells_nothing() {
    let mut car = Car::new(Settings::default());
    car.answer(0, &[3, 0x41, 0x0D, 80]);
    car.introduce();
    while car.question() != [1, 0x0D] {}
    for answer in [
        &[3, 0x41, 0x0C, 80][..],
        &[3, 0x49, 0x0D, 80],
        &[2, 0x41, 0x0D],
        &[0x10, 20, 1, 2, 3, 4, 5, 6],
    ] {
        car.answer(0, answer);
    }
    assert_eq!(car.told, []);
}
