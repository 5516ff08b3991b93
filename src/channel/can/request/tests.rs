//! The manners of requests.

use super::*;

const HOURS: u32 = 0xFEE5;
const FUEL: u32 = 0xFEE9;
const VIN: u32 = 0xFEEC;

/// A truck, whose engine is heard ten times a second, or is not.
struct Truck {
    requests: Requests,
    now: Duration,
    is_awake: bool,
}

impl Truck {
    fn new(pgns: &[u32]) -> Self {
        let settings = Settings {
            pgns: pgns.to_vec(),
            every: Duration::from_secs(60),
            source: 0xF9,
        };
        Self {
            requests: Requests::new(&settings),
            now: Duration::from_secs(100),
            is_awake: true,
        }
    }

    fn hear(&mut self, pgn: u32, data: &[u8]) {
        let id = Id::Extended(0x1800_0027 | pgn << 8);
        self.requests
            .frame(self.now, &Frame::new(id, data).unwrap(), &mut |_, _| {});
    }

    /// What is asked for within so many seconds, and after how long.
    fn asked_within(&mut self, seconds: u64) -> Option<(u32, Duration)> {
        let start = self.now;
        while self.now < start + Duration::from_secs(seconds) {
            if self.is_awake && self.now.subsec_millis().is_multiple_of(100) {
                self.hear(0xF004, &[0xFF; 8]);
            }
            let is_due = self.requests.wake_at().is_some_and(|wake| wake <= self.now);
            let mut sent = Vec::new();
            self.requests.poll(self.now, &mut sent);
            assert!(is_due || sent.is_empty(), "sent and not named before");
            if let Some(frame) = sent.first() {
                assert_eq!(sent.len(), 1);
                assert_eq!(frame.id, Id::Extended(0x18EA_FFF9));
                let [low, middle, high] = *frame.data() else {
                    panic!("{frame:?}");
                };
                let pgn = u32::from_le_bytes([low, middle, high, 0]);
                return Some((pgn, self.now - start));
            }
            self.now += Duration::from_millis(10);
        }
        None
    }
}

#[test]
fn each_is_asked_for_in_its_turn_and_again_after_its_time() {
    let mut truck = Truck::new(&[HOURS, FUEL]);
    assert_eq!(truck.asked_within(60), Some((HOURS, BY_ITSELF)));
    truck.hear(HOURS, &[0; 8]);
    assert_eq!(truck.asked_within(60), Some((FUEL, GAP)));
    // nobody answers: the other one is due first all the same
    let (pgn, after) = truck.asked_within(90).unwrap();
    assert_eq!(pgn, HOURS);
    assert_eq!(after, Duration::from_secs(60) - GAP);
    assert_eq!(truck.asked_within(60), Some((FUEL, ANSWER_MAX)));
}

#[test]
fn a_long_answer_is_waited_for() {
    let mut truck = Truck::new(&[VIN, FUEL]);
    assert_eq!(truck.asked_within(60), Some((VIN, BY_ITSELF)));
    // of another, and then what was asked for: three packets
    truck.hear(0xEC00, &[32, 18, 0, 3, 0xFF, 0xCA, 0xFE, 0]);
    truck.hear(0xEC00, &[32, 18, 0, 3, 0xFF, 0xEC, 0xFE, 0]);
    truck.hear(0xEB00, &[1; 8]);
    let after = Duration::from_millis(3 * 200) + GAP;
    assert_eq!(truck.asked_within(60), Some((FUEL, after)));
}

#[test]
fn what_is_told_by_itself_is_not_asked_for() {
    let mut truck = Truck::new(&[FUEL, VIN]);
    for _ in 0..40 {
        truck.hear(FUEL, &[0; 8]);
        truck.hear(0xEC00, &[32, 18, 0, 3, 0xFF, 0xEC, 0xFE, 0]);
        assert_eq!(truck.asked_within(10), None);
    }
    // at last it is silent of one
    truck.hear(FUEL, &[0; 8]);
    let (pgn, _) = truck.asked_within(60).unwrap();
    assert_eq!(pgn, VIN);
}

#[test]
fn a_bus_that_sleeps_is_not_kept_awake() {
    let mut truck = Truck::new(&[HOURS, FUEL]);
    truck.is_awake = false;
    assert_eq!(truck.asked_within(300), None);
    truck.hear(FUEL, &[0; 8]);
    assert_eq!(truck.asked_within(300), None);
    truck.is_awake = true;
    assert_eq!(truck.asked_within(60), Some((HOURS, BY_ITSELF)));
    truck.is_awake = false;
    // the last frame is not forgotten at once; answers are no others
    let mut count = 0;
    while truck.asked_within(200).is_some() {
        truck.hear(HOURS, &[0; 8]);
        truck.hear(FUEL, &[0; 8]);
        count += 1;
    }
    assert!(count <= 1, "{count}");
    assert_eq!(truck.requests.wake_at(), None, "nobody is woken for it");
    // it wakes: what it tells by itself comes first
    truck.is_awake = true;
    let (_, after) = truck.asked_within(60).unwrap();
    assert!(after >= BY_ITSELF, "{after:?}");
}

#[test]
fn after_bus_off_nothing_is_asked_any_more() {
    let mut truck = Truck::new(&[FUEL]);
    assert!(truck.asked_within(60).is_some());
    truck.requests.stop();
    assert_eq!(truck.asked_within(600), None);
    assert_eq!(truck.requests.wake_at(), None);
}
