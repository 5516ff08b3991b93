//! The message: one report of one device, the value that flows through everything.
//!
//! A message is a flat list of named parameters in the order in which its sender gave them;
//! `ident` and `timestamp` are two of them. [`json`] is the form that users see, [`body`] the one
//! that the ring keeps, and in which a [`Message`] is from the start.

pub mod body;
pub mod digest;
pub mod json;
pub(crate) mod json_write;
pub(crate) mod names;
mod number;
mod scan;
pub mod timestamp;
mod value;

use body::Body;
use body::Fields;
use body::Span;
pub(crate) use names::ENVELOPE;
use names::Name;
use names::NameSet;
pub use names::from_underscores;
pub use names::is_reserved;
use std::fmt;
use std::ops::Range;
pub use value::Value;
pub use value::ValueRef;

/// One report of one device, on its way from a channel to the ring, in the form that the ring
/// keeps: one allocation, which grows by what is [`set`](Message::set).
///
/// A parameter that is not there costs nothing to look for; one that is, a walk over those before
/// it, 10 to 30 instructions each.
#[derive(Clone)]
pub struct Message {
    /// As [`body`] says; holds a valid `ident`; no name twice.
    bytes: Vec<u8>,
    /// The names that are in it.
    names: NameSet,
}

/// Why an ident is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidIdent {
    /// No byte, or more than [`IDENT_MAX`].
    Length(usize),
    /// `#`, `+`, `/` or a control character.
    Character(char),
}

impl Message {
    /// A message of `ident` with no parameter yet.
    ///
    /// # Errors
    /// When `ident` is not one.
    pub fn new(ident: &str) -> Result<Self, InvalidIdent> {
        check_ident(ident)?;
        let mut message = Self::empty(NEW_CAPACITY);
        message.push(Name::of("ident"), ValueRef::Text(ident));
        Ok(message)
    }

    /// Room for messages that are read one after the other; it has no ident.
    pub(crate) fn room() -> Self {
        Self::empty(0)
    }

    /// Makes room for so many bytes.
    fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Keeps no more memory than most messages need.
    pub(crate) fn forget_room(&mut self) {
        self.clear();
        self.bytes.shrink_to(ROOM_MAX);
    }

    /// Not yet a message: it has no ident.
    fn empty(capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.push(body::VERSION);
        let names = NameSet::default();
        Self { bytes, names }
    }

    /// Who sent it.
    #[must_use]
    pub fn ident(&self) -> &str {
        self.view().ident()
    }

    /// Names another sender.
    ///
    /// # Errors
    /// When `ident` is not one; the message is as before.
    pub fn set_ident(&mut self, ident: &str) -> Result<(), InvalidIdent> {
        check_ident(ident)?;
        self.set("ident", ident);
        Ok(())
    }

    /// Says when it was measured: whole microseconds since 1970-01-01 UTC.
    pub fn set_timestamp(&mut self, micros: u64) {
        self.set("timestamp", timestamp(micros));
    }

    /// Gives a parameter its value; one of that name is replaced in its place.
    pub fn set<'v>(&mut self, name: impl AsRef<str>, value: impl Into<ValueRef<'v>>) {
        self.put(Name::of(name.as_ref()), value.into());
    }

    /// The same of the known name of an index.
    pub(crate) fn set_known<'v>(&mut self, index: u16, value: impl Into<ValueRef<'v>>) {
        self.put(Name::Known(index), value.into());
    }

    /// Gives a parameter its value unless there is one of that name; whether it was given.
    pub fn set_new<'v>(&mut self, name: &str, value: impl Into<ValueRef<'v>>) -> bool {
        let name = Name::of(name);
        let is_new = self.span(name).is_none();
        if is_new {
            self.push(name, value.into());
        }
        is_new
    }

    fn put(&mut self, name: Name<'_>, value: ValueRef<'_>) {
        match self.span(name) {
            None => self.push(name, value),
            Some(old) => self.replace(old.value..old.end, |out| body::put_value(value, out)),
        }
    }

    /// Appends a parameter whose name is not in it yet.
    fn push(&mut self, name: Name<'_>, value: ValueRef<'_>) {
        self.names.add(name);
        body::put_name(name, &mut self.bytes);
        body::put_value(value, &mut self.bytes);
    }

    /// Gives a message that has none an ident, which was checked, as its first parameter.
    fn push_front(&mut self, ident: &str) {
        let before = self.bytes.len();
        self.push(Name::of("ident"), ValueRef::Text(ident));
        if let Some(fields) = self.bytes.get_mut(1..) {
            fields.rotate_right(fields.len() + 1 - before);
        }
    }

    /// Takes all parameters away, the ident too.
    fn clear(&mut self) {
        self.bytes.truncate(1);
        self.names = NameSet::default();
    }

    /// A copy that can grow by `more` bytes, or to twice its length, without another allocation.
    fn with_room(&self, more: usize) -> Self {
        let len = self.bytes.len();
        let mut bytes = Vec::with_capacity(len + len.min(more));
        bytes.extend_from_slice(&self.bytes);
        let names = self.names;
        Self { bytes, names }
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        let name = Name::of(name);
        if let Some(old) = self.span(name) {
            self.names.forget(name);
            self.bytes.drain(old.start..old.end);
        }
    }

    /// Gives the parameter `old` the name `new`; one that has it already goes.
    pub fn rename(&mut self, old: &str, new: impl AsRef<str>) {
        let new = new.as_ref();
        if old == new || !self.has(old) {
            return;
        }
        self.remove(new);
        let (old, new) = (Name::of(old), Name::of(new));
        if let Some(span) = self.span(old) {
            self.names.forget(old);
            self.names.add(new);
            self.replace(span.start..span.value, |out| body::put_name(new, out));
        }
    }

    /// Leaves out what a sender says under a name that only weir sets.
    pub fn leave_out_reserved(&mut self) {
        if self.names.may_have_reserved() {
            let kept = |name: &Name<'_>| !name.is_reserved();
            self.retain(kept);
            self.names.forget_reserved();
        }
    }

    fn retain(&mut self, keeps: impl Fn(&Name<'_>) -> bool) {
        let (mut kept, mut at) = (1, 1);
        while let Some((name, end)) = self.view().field_at(at) {
            if keeps(&name) {
                self.bytes.copy_within(at..end, kept);
                kept += end - at;
            }
            at = end;
        }
        self.bytes.truncate(kept);
    }

    /// Puts what `write` appends in the place of `old`.
    fn replace(&mut self, old: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.bytes.len();
        write(&mut self.bytes);
        let new = self.bytes.len() - before;
        if let Some(moved) = self.bytes.get_mut(old.start..) {
            moved.rotate_right(new);
        }
        self.bytes.drain(old.start + new..old.end + new);
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        let name = Name::of(name);
        if self.names.may_have(name) {
            self.view().find_name(name)
        } else {
            None
        }
    }

    /// Whether there is a parameter of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.span(Name::of(name)).is_some()
    }

    /// Where a parameter stands.
    fn span(&self, name: Name<'_>) -> Option<Span> {
        if self.names.may_have(name) {
            self.view().span(name)
        } else {
            None
        }
    }

    /// Its parameters in their order, `ident` and `timestamp` among them.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        self.view().fields()
    }

    /// What the ring keeps of it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same as a body.
    #[must_use]
    pub fn view(&self) -> Body<'_> {
        Body::of_message(&self.bytes)
    }
}

/// Equal are messages of the same parameters in the same order.
impl PartialEq for Message {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.fields()).finish()
    }
}

/// Says what is wrong with an ident, if anything.
///
/// # Errors
/// See [`InvalidIdent`].
pub fn check_ident(ident: &str) -> Result<(), InvalidIdent> {
    if ident.is_empty() || ident.len() > IDENT_MAX {
        return Err(InvalidIdent::Length(ident.len()));
    }
    if ident.bytes().all(is_plain) {
        return Ok(());
    }
    match ident
        .chars()
        .find(|c| c.is_control() || matches!(c, '#' | '+' | '/'))
    {
        Some(bad) => Err(InvalidIdent::Character(bad)),
        None => Ok(()),
    }
}

/// Whether it is a character that every ident may have: quicker to ask than what is none.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'#' | b'+' | b'/')
}

/// The value of a `timestamp`: whole seconds stay an integer.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of this era are exact in 53 bits"
)]
fn timestamp(micros: u64) -> ValueRef<'static> {
    if micros.is_multiple_of(1_000_000) {
        ValueRef::U64(micros / 1_000_000)
    } else {
        ValueRef::F64(micros as f64 / 1e6)
    }
}

impl fmt::Display for InvalidIdent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(0) => write!(f, "`ident` is empty"),
            Self::Length(len) => {
                write!(f, "`ident` has {len} bytes, at most {IDENT_MAX} are taken")
            }
            Self::Character(bad) => write!(f, "`ident` must not contain {bad:?}"),
        }
    }
}

impl std::error::Error for InvalidIdent {}

#[cfg(test)]
mod model;

/// Longest ident, in bytes.
pub const IDENT_MAX: usize = 64;

/// What a message of a tracker needs, in bytes; more is taken as it comes.
const NEW_CAPACITY: usize = 256;

/// What [`Message::room`] keeps at most, in bytes.
const ROOM_MAX: usize = 2048;

/// Longest body of a message as the ring keeps it, in bytes.
pub const BODY_MAX: usize = 32 * 1024;
