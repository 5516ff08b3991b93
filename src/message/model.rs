//! What can be done to a message beside the same done to a list of names and values.

use super::*;
use fastrand::Rng;

/// A message as one would think of it.
struct Model(Vec<(String, Value)>);

impl Model {
    fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    fn set_new(&mut self, name: &str, value: Value) -> bool {
        let is_new = self.0.iter().all(|(known, _)| known != name);
        if is_new {
            self.set(name, value);
        }
        is_new
    }

    fn rename(&mut self, old: &str, new: &str) {
        if old != new && self.0.iter().any(|(name, _)| name == old) {
            self.0.retain(|(name, _)| name != new);
            for (name, _) in self.0.iter_mut().filter(|(name, _)| name == old) {
                new.clone_into(name);
            }
        }
    }
}

#[test]
fn a_message_is_a_list_of_names_and_values() {
    let mut random = Rng::with_seed(2);
    for _ in 0..3_000 {
        let mut message = Message::new("a").unwrap();
        let mut model = Model(vec![("ident".into(), "a".into())]);
        for _ in 0..random.usize(..30) {
            change(&mut random, &mut message, &mut model);
            let found: Vec<_> = message.fields().collect();
            let expected = model.0.iter();
            let expected: Vec<_> = expected
                .map(|(name, value)| (&**name, value.as_ref()))
                .collect();
            assert_eq!(found, expected);
            for name in NAMES {
                let expected = expected.iter().find(|(known, _)| known == name);
                assert_eq!(
                    message.get(name),
                    expected.map(|(_, value)| *value),
                    "{name}"
                );
                assert_eq!(message.has(name), expected.is_some(), "{name}");
            }
        }
    }
}

fn change(random: &mut Rng, message: &mut Message, model: &mut Model) {
    let [one, other] = [0; 2].map(|_| NAMES[random.usize(..NAMES.len())]);
    match random.u8(..16) {
        0 => {
            message.remove(one);
            model.0.retain(|(name, _)| name != one);
        }
        1 | 2 => {
            message.rename(one, other);
            model.rename(one, other);
        }
        3 => {
            message.leave_out_reserved();
            model.0.retain(|(name, _)| !is_reserved(name));
        }
        4 => {
            message.set_timestamp(1_500_000);
            model.set("timestamp", Value::F64(1.5));
        }
        5 if !message.has("ident") => {
            message.push_front("b");
            model.0.insert(0, ("ident".into(), "b".into()));
        }
        6 | 7 => {
            let value = value(random);
            let was_new = message.set_new(one, &value);
            assert_eq!(was_new, model.set_new(one, value), "{one}");
        }
        _ => {
            let value = value(random);
            message.set(one, &value);
            model.set(one, value);
        }
    }
}

fn value(random: &mut Rng) -> Value {
    match random.u8(..6) {
        0 => Value::Null,
        1 => Value::Bool(random.bool()),
        2 => Value::U64(random.u64(..) >> random.u8(..64)),
        3 => Value::from(random.i64(..) >> random.u8(..64)),
        4 => Value::F64(random.f64()),
        _ => Value::Text("x".repeat(random.usize(..300)).into()),
    }
}

const NAMES: &[&str] = &[
    "ident",
    "timestamp",
    "din",
    "position.speed",
    "channel.name",
    "timestamp.valid",
    "server.timestamp",
    "record.seq",
    "record.x",
    "x",
    "y",
    "a",
    "",
    "1",
    "2",
    "3",
    "é",
    "p1",
    "p2",
    "p3",
    "p4",
    "p5",
    "p6",
    "p7",
    "p8",
];
