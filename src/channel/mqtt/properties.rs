//! The properties of a login of MQTT 5, judged as the standard says (3.1.2.11, 3.1.3.2): rumqttc
//! reads them, but takes values that cannot be, and the last of two.

/// What is wrong with a login's properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Improper {
    /// They are cut off, or one is none of a login.
    Malformed,
    /// One stands there twice, or has a value that it cannot have.
    Protocol(&'static str),
}

/// Looks at the properties of a whole CONNECT of version 5 and of its will. Returns the longest
/// packet that the client takes, if it says so.
///
/// # Errors
/// See [`Improper`].
pub(super) fn check_connect(body: &[u8]) -> Result<Option<u32>, Improper> {
    // the protocol's name, its level; flags; keep alive
    let (flags, rest) = body
        .get(7..)
        .and_then(|rest| rest.split_first())
        .ok_or(MALFORMED)?;
    let (own, rest) = block(rest.get(2..).ok_or(MALFORMED)?)?;
    let largest = check(own, OF_LOGIN)?;
    if *flags & HAS_WILL != 0 {
        let (_, rest) = counted(rest)?;
        let (will, _) = block(rest)?;
        check(will, OF_WILL)?;
    }
    Ok(largest)
}

/// A list with its length before it, and what stands behind it.
fn block(bytes: &[u8]) -> Result<(&[u8], &[u8]), Improper> {
    let mut len = 0_usize;
    for (place, byte) in bytes.iter().take(4).enumerate() {
        len |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            let rest = bytes.get(place.saturating_add(1)..).ok_or(MALFORMED)?;
            return rest.split_at_checked(len).ok_or(MALFORMED);
        }
    }
    Err(MALFORMED)
}

/// Bytes with two bytes of length before them, and what stands behind them.
fn counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), Improper> {
    let (len, rest) = bytes.split_first_chunk().ok_or(MALFORMED)?;
    rest.split_at_checked(u16::from_be_bytes(*len).into())
        .ok_or(MALFORMED)
}

fn check(mut list: &[u8], known: &[(u8, Form)]) -> Result<Option<u32>, Improper> {
    let (mut seen, mut largest) = (0_u64, None);
    while let Some((id, rest)) = list.split_first() {
        let form = known
            .iter()
            .find(|(known, _)| known == id)
            .ok_or(MALFORMED)?;
        let bit = 1_u64.checked_shl((*id).into()).ok_or(MALFORMED)?;
        if seen & bit != 0 && *id != USER_PROPERTY {
            return Err(Improper::Protocol("a property stands in the login twice"));
        }
        seen |= bit;
        let (number, rest) = form.1.read(rest)?;
        match (*id, number) {
            (RECEIVE_MAXIMUM | MAXIMUM_PACKET_SIZE, Some(0)) => {
                return Err(Improper::Protocol("a maximum of the login is 0"));
            }
            (MAXIMUM_PACKET_SIZE, size) => largest = size,
            _ => {}
        }
        list = rest;
    }
    let has = |id: u8| seen & (1 << id) != 0;
    if has(AUTHENTICATION_DATA) && !has(AUTHENTICATION_METHOD) {
        return Err(Improper::Protocol("the login has data of no method"));
    }
    Ok(largest)
}

/// How the value of a property is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Flag,
    Two,
    Four,
    Text,
    Pair,
}

impl Form {
    /// The value, if it is a number, and what stands behind it.
    fn read(self, bytes: &[u8]) -> Result<(Option<u32>, &[u8]), Improper> {
        match self {
            Self::Flag => match bytes.split_first().ok_or(MALFORMED)? {
                (flag @ (0 | 1), rest) => Ok((Some((*flag).into()), rest)),
                _ => Err(Improper::Protocol("a flag of the login is neither 0 nor 1")),
            },
            Self::Two => {
                let (number, rest) = bytes.split_first_chunk().ok_or(MALFORMED)?;
                Ok((Some(u16::from_be_bytes(*number).into()), rest))
            }
            Self::Four => {
                let (number, rest) = bytes.split_first_chunk().ok_or(MALFORMED)?;
                Ok((Some(u32::from_be_bytes(*number)), rest))
            }
            Self::Text => Ok((None, counted(bytes)?.1)),
            Self::Pair => Ok((None, counted(counted(bytes)?.1)?.1)),
        }
    }
}

const MALFORMED: Improper = Improper::Malformed;

/// The flag of a will.
const HAS_WILL: u8 = 0b100;

const AUTHENTICATION_METHOD: u8 = 21;
const AUTHENTICATION_DATA: u8 = 22;
const RECEIVE_MAXIMUM: u8 = 33;
const USER_PROPERTY: u8 = 38;
const MAXIMUM_PACKET_SIZE: u8 = 39;

/// Those of a login: session expiry, what comes back with answers, aliases, and the ones above.
const OF_LOGIN: &[(u8, Form)] = &[
    (17, Form::Four),
    (AUTHENTICATION_METHOD, Form::Text),
    (AUTHENTICATION_DATA, Form::Text),
    (23, Form::Flag),
    (25, Form::Flag),
    (RECEIVE_MAXIMUM, Form::Two),
    (34, Form::Two),
    (USER_PROPERTY, Form::Pair),
    (MAXIMUM_PACKET_SIZE, Form::Four),
];

/// Those of a will: form of its payload, expiry, kind, where and with what to answer, delay.
const OF_WILL: &[(u8, Form)] = &[
    (1, Form::Flag),
    (2, Form::Four),
    (3, Form::Text),
    (8, Form::Text),
    (9, Form::Text),
    (24, Form::Four),
    (USER_PROPERTY, Form::Pair),
];
