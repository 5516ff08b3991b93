//! Digests of parameters: equal where names and values are equal, in whatever order they stand.
//! Nothing that an attacker could not forge.
//!
//! FNV-1a with 128 bits of each parameter, added up:
//! ```text
//! parameter = name · 0 · kind u8 · value      kinds and values as in the ring's body, numbers LE
//! ```

use super::ValueRef;

/// The digest of parameters; of none 0.
pub fn of<'a>(fields: impl Iterator<Item = (&'a str, ValueRef<'a>)>) -> u128 {
    let digests = fields.map(|(name, value)| field(name, value));
    digests.fold(0, u128::wrapping_add)
}

fn field(name: &str, value: ValueRef<'_>) -> u128 {
    let named = add(add(OFFSET, name.as_bytes()), &[0]);
    match value {
        ValueRef::Null => add(named, &[0]),
        ValueRef::Bool(false) => add(named, &[1]),
        ValueRef::Bool(true) => add(named, &[2]),
        ValueRef::U64(number) => add(add(named, &[3]), &number.to_le_bytes()),
        ValueRef::I64(number) => add(add(named, &[4]), &number.to_le_bytes()),
        ValueRef::F64(number) => add(add(named, &[5]), &number.to_le_bytes()),
        ValueRef::Text(text) => add(add(named, &[6]), text.as_bytes()),
        ValueRef::Json(text) => add(add(named, &[7]), text.as_bytes()),
    }
}

fn add(digest: u128, bytes: &[u8]) -> u128 {
    let step = |digest: u128, byte: &u8| (digest ^ u128::from(*byte)).wrapping_mul(PRIME);
    bytes.iter().fold(digest, step)
}

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fnv_1a_as_published() {
        assert_eq!(add(OFFSET, b""), OFFSET);
        let foobar = 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18;
        assert_eq!(add(OFFSET, b"foobar"), foobar);
    }

    #[test]
    fn order_is_nothing_and_every_name_and_value_counts() {
        let a = ("a", ValueRef::U64(1));
        let b = ("b", ValueRef::Text("x"));
        assert_eq!(of([a, b].into_iter()), of([b, a].into_iter()));
        let others = [
            ("a", ValueRef::I64(1)),
            ("a", ValueRef::Text("1")),
            ("a", ValueRef::Json("1")),
            ("c", ValueRef::U64(1)),
            ("a", ValueRef::U64(2)),
        ];
        for other in others {
            assert_ne!(of([a, b].into_iter()), of([other, b].into_iter()));
        }
    }
}
