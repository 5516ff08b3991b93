//! Files that are damaged at random: never a panic, never a place outside of the file.

use crate::told::Told;
use crate::told::with;

#[test]
fn damaged_files_are_read_without_a_panic_and_every_place_is_in_the_file() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    let mut random = Random(seed);
    for round in 0..3_000 {
        let text = random.damage(&sample());
        let text = String::from_utf8_lossy(&text).into_owned();
        let loaded = Told::new(text.clone()).load();
        for diagnostic in &loaded.diagnostics {
            let Some(position) = diagnostic.position else {
                continue;
            };
            let line = text.split('\n').nth(position.line - 1);
            let line = line.unwrap_or_else(|| panic!("SEED={seed} round {round}: {diagnostic}"));
            let fits = (1..=line.chars().count() + 1).contains(&position.column);
            assert!(fits, "SEED={seed} round {round}: {diagnostic}");
        }
        let positions: Vec<_> = loaded
            .diagnostics
            .iter()
            .filter_map(|d| d.position)
            .collect();
        assert!(
            positions.is_sorted(),
            "SEED={seed} round {round}: {positions:?}"
        );
    }
}

/// One slip of the finger does not bring a password into the log, whatever else it breaks.
#[test]
fn a_secret_is_hidden_wherever_a_sign_too_much_stands() {
    let sample = sample();
    for line in sample.lines().filter(|line| line.contains("hunter2")) {
        let start = sample.find(line).unwrap();
        let end = start + line.find("hunter2").unwrap();
        for at in (start..end).filter(|at| sample.is_char_boundary(*at)) {
            for sign in "[]{}=\"'.,#$:@ \\x".chars() {
                let mut text = sample.clone();
                text.insert(at, sign);
                let said = Told::new(text).said();
                assert!(!said.contains("hunter2"), "{sign:?} at {at}:\n{said}");
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_a_mistake_and_no_panic() {
    for round in 0..200 {
        let mut random = Random(round);
        let bytes: Vec<u8> = (0..200).map(|_| random.byte()).collect();
        let loaded = Told::new(bytes).load();
        assert!(!loaded.diagnostics.is_empty());
    }
}

fn sample() -> String {
    let channel = r#"set = { "gateway.name" = "é${env:A:-b}", n = [1, { a = 2.5 }] }
        idents = ["3520*", 'a']
        idle_timeout = "30s""#;
    let stream = r#"
        username = "user"
        password = "hunter2"
        [stream.retry]
        min = "1s"
        [[stream]]
        name = "web"
        type = "http"
        url = "http://u:hunter2@example.com/{ident}"
        headers = { Authorization = "Bearer hunter2" }
        channels = ["in"]
        [ring]
        commit = { delay = "100ms", bytes = "64 KiB" }
        [[device]]
        name = "truck 7"
        ident = "35*"
        data = { plate = """AB
        123""" }"#;
    with(channel, stream)
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.next() & 0xff).unwrap()
    }

    /// One to four bytes, words or lines are cut out, put in or doubled.
    fn damage(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + self.below(30)).min(bytes.len());
            match self.below(4) {
                0 => drop(bytes.drain(at..end)),
                1 => bytes.insert(at, self.byte()),
                2 => {
                    let sign = b"[]{}=\"'\n.,#$\\"[self.below(13)];
                    bytes.insert(at, sign);
                }
                _ => {
                    let copy = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
            }
        }
        bytes
    }
}
