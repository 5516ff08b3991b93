//! Messages and bytes by chance, the same for the same seed.

use weir::message::Message;
use weir::message::Value;

/// xorshift64*: the same messages for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Any 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Any 32 bits.
    pub(crate) fn word(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).unwrap()
    }

    /// From 0 to one less than `bound`; 0 when that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound.max(1)
    }

    /// A message that can be stored.
    pub(crate) fn message(&mut self) -> Message {
        let mut message = Message::new(&format!("device-{}", self.below(1000))).unwrap();
        if self.below(4) > 0 {
            // beyond 2106 a float's steps are coarser than half a microsecond
            message.set_timestamp(self.next() % (1_000_000 << 32));
        }
        for _ in 0..self.below(20) {
            let name = format!(
                "p{}{}",
                self.below(30),
                self.text(4).replace(char::is_control, "")
            );
            let value = self.value();
            message.set(name, &value);
        }
        message
    }

    /// Any value, often at the edge of its type.
    pub(crate) fn value(&mut self) -> Value {
        match self.below(9) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 1),
            2 => Value::U64(self.next()),
            3 => Value::U64(self.next() % 1000),
            4 => Value::from(self.next().cast_signed()),
            5 => Some(f64::from_bits(self.next()))
                .filter(|f| f.is_finite())
                .unwrap_or(0.5)
                .into(),
            6 => Value::F64(self.below(100_000) as f64 / 100.0),
            7 => Value::from(self.text(40).as_str()),
            _ => Value::Json(self.json(0).into()),
        }
    }

    /// Text of all that has to be escaped somewhere.
    pub(crate) fn text(&mut self, longest: usize) -> String {
        (0..self.below(longest)).map(|_| self.character()).collect()
    }

    fn character(&mut self) -> char {
        let all = [
            'a', 'B', '0', ' ', '"', '\\', '/', '\n', '\0', '\u{7f}', 'é', '\u{2028}', '😀',
        ];
        all.into_iter().nth(self.below(all.len())).unwrap()
    }

    fn json(&mut self, depth: usize) -> String {
        let count = self.below(4);
        if self.below(2) == 0 {
            let items: Vec<_> = (0..count).map(|_| self.inner(depth)).collect();
            return format!("[{}]", items.join(","));
        }
        let items: Vec<_> = (0..count)
            .map(|_| format!("{}:{}", serde_json::json!(self.text(6)), self.inner(depth)))
            .collect();
        format!("{{{}}}", items.join(","))
    }

    fn inner(&mut self, depth: usize) -> String {
        match self.below(4) {
            0 if depth < 20 => self.json(depth + 1),
            1 => serde_json::json!(self.text(10)).to_string(),
            2 => self.next().to_string(),
            _ => "-1.50E+3".to_owned(),
        }
    }
}

/// Runs with 1,000 seeds; the one that fails is printed.
pub(crate) fn each_seed(run: impl Fn(&mut Random)) {
    for seed in 1..=1000_u64 {
        let _told = Told(seed);
        run(&mut Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    }
}

/// Prints the seed that failed.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("seed {}", self.0);
        }
    }
}

/// One of them.
pub(crate) fn pick<T: Copy>(random: &mut Random, choices: &[T]) -> T {
    choices[random.below(choices.len())]
}
