//! What one client has subscribed to, and what it is told of what passes. It is sent what it reads:
//! a few KiB wait for it, and what passes meanwhile it misses.

#![deny(clippy::arithmetic_side_effects)]

use super::Version;
use super::filter::Filter;
use super::filter::NoFilter;
use super::packet::PACKET_MAX;
use super::subscribe;
use super::subscribe::Mark;
use super::subscribe::NotRead;
use super::subscribe::Retained;
use super::subscribe::Wanted;
use crate::channel::passing::Looked;
use crate::channel::passing::Passing;
use std::rc::Rc;

/// All subscriptions of one client.
#[derive(Debug)]
pub(super) struct Subscriptions {
    passing: Rc<dyn Passing>,
    reader: Reader,
    /// At most [`SUBSCRIPTIONS_MAX`].
    all: Vec<Subscription>,
    /// The number of the last message that it was told.
    told: u64,
    /// That of the last change of a state that all subscriptions were told; none before the first.
    changes_told: Option<u64>,
    has_more: bool,
}

/// Who is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) version: Version,
    /// Longest packet that it takes.
    pub(super) largest: usize,
}

#[derive(Debug)]
struct Subscription {
    filter: Filter,
    identifier: Option<u32>,
    keeps_mark: bool,
    retained: Due,
}

/// What is there already is still to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    No,
    /// Once it is known.
    Asked,
    /// Changes after the first number, up to the second.
    Between(u64, u64),
}

/// What becomes of a filter that is asked for or given up, as 5 says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    Granted = 0x00,
    NoneThere = 0x11,
    /// Nothing here could fit it.
    NotAuthorized = 0x87,
    Invalid = 0x8F,
    Quota = 0x97,
    Shared = 0x9E,
}

impl Subscriptions {
    /// Nothing yet.
    pub(super) fn new(passing: Rc<dyn Passing>, reader: Reader) -> Self {
        Self {
            passing,
            reader,
            all: Vec::new(),
            told: 0,
            changes_told: None,
            has_more: false,
        }
    }

    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        !self.all.is_empty()
    }

    /// Whether there was more to tell than there was room for.
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    /// Takes a whole SUBSCRIBE and answers it; whether all of it was granted.
    ///
    /// # Errors
    /// See [`NotRead`].
    pub(super) fn subscribe(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<bool, NotRead> {
        let asked = subscribe::subscribe(self.reader.version, packet)?;
        let codes = asked.wanted.iter();
        let codes: Vec<Code> = codes.map(|one| self.add(one, asked.identifier)).collect();
        self.look();
        self.answer(SUBACK, asked.id, &codes, out);
        Ok(codes.iter().all(|code| *code == Code::Granted))
    }

    /// Takes a whole UNSUBSCRIBE and answers it.
    ///
    /// # Errors
    /// See [`NotRead`].
    pub(super) fn unsubscribe(&mut self, packet: &[u8], out: &mut Vec<u8>) -> Result<(), NotRead> {
        let asked = subscribe::unsubscribe(self.reader.version, packet)?;
        let codes = asked.filters.iter();
        let codes: Vec<Code> = codes.map(|filter| self.remove(filter)).collect();
        self.look();
        self.answer(UNSUBACK, asked.id, &codes, out);
        Ok(())
    }

    fn add(&mut self, wanted: &Wanted<'_>, identifier: Option<u32>) -> Code {
        let filter = match Filter::new(wanted.filter) {
            Ok(filter) => filter,
            Err(NoFilter::Invalid) => return Code::Invalid,
            Err(NoFilter::Shared) => return Code::Shared,
            Err(NoFilter::Long) => return Code::Quota,
        };
        if !filter.fits_some(MESSAGES) && !filter.fits_some(STATE) {
            return Code::NotAuthorized;
        }
        let known = self.all.iter().position(|one| one.filter == filter);
        let retained = match (wanted.retained, known) {
            (Retained::Never, _) | (Retained::IfNew, Some(_)) => Due::No,
            _ => Due::Asked,
        };
        let subscription = Subscription {
            filter,
            identifier,
            keeps_mark: wanted.keeps_mark,
            retained,
        };
        if known.is_none() && self.all.len() >= SUBSCRIPTIONS_MAX {
            return Code::Quota;
        }
        self.all.retain(|one| one.filter != subscription.filter);
        self.all.push(subscription);
        Code::Granted
    }

    fn remove(&mut self, filter: &str) -> Code {
        let before = self.all.len();
        self.all.retain(|one| one.filter.as_str() != filter);
        match self.all.len() < before {
            true => Code::Granted,
            false => Code::NoneThere,
        }
    }

    /// Has kept what is subscribed to, and nothing else.
    fn look(&mut self) {
        let fits = |start: &str| self.all.iter().any(|one| one.filter.fits_some(start));
        let (messages, states) = (fits(MESSAGES), fits(STATE));
        let looked = self.passing.want(Looked { messages, states });
        if !looked.messages {
            self.told = self.passing.last();
        }
        if !looked.states {
            self.changes_told = None;
        }
    }

    fn answer(&self, first: u8, id: u16, codes: &[Code], out: &mut Vec<u8>) {
        let codes = codes.iter().map(|code| *code as u8);
        let body: Vec<u8> = match (self.reader.version, first) {
            (Version::V5, _) => std::iter::once(0).chain(codes).collect(),
            (Version::V311, UNSUBACK) => Vec::new(),
            (Version::V311, _) => codes.map(|code| code.min(FAILURE)).collect(),
        };
        subscribe::put_answer(first, id, &body, out);
    }

    /// Appends what is to be told and has room; `is_tight`: memory is short. How many messages it
    /// has missed.
    pub(super) fn tell(&mut self, is_tight: bool, out: &mut Vec<u8>) -> u64 {
        let room = Room {
            most: if is_tight { TIGHT_MAX } else { WAITING_MAX },
            is_tight,
        };
        self.has_more = false;
        self.tell_states(room, out);
        self.tell_messages(room, out)
    }

    fn tell_states(&mut self, room: Room, out: &mut Vec<u8>) {
        let Some(last) = self.passing.last_change() else {
            return;
        };
        if !self.all.iter().any(|one| one.filter.fits_some(STATE)) {
            return;
        }
        let changes_told = self.changes_told.get_or_insert(last);
        for one in &mut self.all {
            if one.retained == Due::Asked {
                one.retained = Due::Between(0, *changes_told);
            }
            if let Due::Between(mut told, until) = one.retained {
                let mut is_full = false;
                self.passing.states(&mut told, &mut |change, path, json| {
                    let topic = format!("{STATE}/{path}");
                    let wanted = !json.is_empty() && one.filter.fits(&topic);
                    if change <= until && wanted {
                        let ids = one.identifier.into_iter();
                        let sent = Sent {
                            topic: &topic,
                            json,
                            mark: Mark::Retained,
                        };
                        is_full = self.reader.put(room, &sent, ids, out) == Put::NoRoom;
                    }
                    change <= until && !is_full
                });
                one.retained = match is_full {
                    true => Due::Between(told, until),
                    false => Due::No,
                };
                self.has_more |= is_full && !room.is_tight;
            }
        }
        let (all, reader) = (&self.all, self.reader);
        let mut is_full = false;
        self.passing.states(changes_told, &mut |_, path, json| {
            let topic = format!("{STATE}/{path}");
            let fitting = || all.iter().filter(|one| one.filter.fits(&topic));
            if fitting().next().is_some() {
                let mark = match fitting().any(|one| one.keeps_mark) {
                    true => Mark::Retained,
                    false => Mark::New,
                };
                let sent = Sent {
                    topic: &topic,
                    json,
                    mark,
                };
                let ids = fitting().filter_map(|one| one.identifier);
                is_full = reader.put(room, &sent, ids, out) == Put::NoRoom;
            }
            !is_full
        });
        self.has_more |= is_full && !room.is_tight;
    }

    fn tell_messages(&mut self, room: Room, out: &mut Vec<u8>) -> u64 {
        if !self.all.iter().any(|one| one.filter.fits_some(MESSAGES)) {
            return 0;
        }
        let (all, reader) = (&self.all, self.reader);
        let (mut is_full, mut too_long) = (false, 0_u64);
        let missed = self.passing.messages(&mut self.told, &mut |ident, json| {
            let topic = format!("{MESSAGES}/{ident}");
            let fitting = || all.iter().filter(|one| one.filter.fits(&topic));
            if fitting().next().is_some() {
                let sent = Sent {
                    topic: &topic,
                    json,
                    mark: Mark::New,
                };
                let ids = fitting().filter_map(|one| one.identifier);
                match reader.put(room, &sent, ids, out) {
                    Put::Done => {}
                    Put::TooLong => too_long = too_long.saturating_add(1),
                    Put::NoRoom => is_full = true,
                }
            }
            !is_full
        });
        self.has_more |= is_full && !room.is_tight;
        missed.saturating_add(too_long)
    }
}

/// How much may wait for it.
#[derive(Clone, Copy)]
struct Room {
    most: usize,
    is_tight: bool,
}

/// What is told.
struct Sent<'a> {
    topic: &'a str,
    json: &'a str,
    mark: Mark,
}

/// What became of a packet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Put {
    Done,
    /// Longer than it takes.
    TooLong,
    NoRoom,
}

impl Reader {
    fn put(
        self,
        room: Room,
        sent: &Sent<'_>,
        identifiers: impl Iterator<Item = u32>,
        out: &mut Vec<u8>,
    ) -> Put {
        let before = out.len();
        let Sent { topic, json, mark } = *sent;
        subscribe::publish(self.version, topic, json.as_bytes(), mark, identifiers, out);
        let len = out.len().saturating_sub(before);
        // a long one goes alone
        let is_alone = before == 0 && !room.is_tight;
        let put = match () {
            () if len > self.largest.min(PACKET_MAX) => Put::TooLong,
            () if is_alone || out.len() <= room.most => return Put::Done,
            () => Put::NoRoom,
        };
        out.truncate(before);
        put
    }
}

/// Where messages are told, each under its ident.
const MESSAGES: &str = "weir/messages";

/// Where states are told.
const STATE: &str = "weir/state";

/// Subscriptions of one client.
const SUBSCRIPTIONS_MAX: usize = 32;

/// Bytes that wait for one client; a message that is longer waits alone.
const WAITING_MAX: usize = 8 * 1024;

/// The same while memory is short.
const TIGHT_MAX: usize = 1024;

/// Types of the answers.
const SUBACK: u8 = 0x90;
const UNSUBACK: u8 = 0xB0;

/// All that 3.1.1 has to say of a filter that is not granted.
const FAILURE: u8 = 0x80;
