//! A conversion made ready for many messages: what becomes of each known name is decided once, of
//! any other name when it comes.

use super::Convert;
use crate::message::ValueRef;
use crate::message::json_write;
use crate::message::names;
use std::borrow::Cow;

/// What becomes of names.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    convert: &'a Convert,
    /// Shown behind all others: what has this name gives way.
    stamp: Option<&'a str>,
    /// By their index; the last is that of [`SERVER`].
    known: Vec<Verdict>,
    /// What [`Shown::As`] counts.
    names: Vec<NewName>,
    /// What more than one name may become, but for the dots of names that are not known.
    shared: Vec<String>,
    /// `set`, as [`json_write::field`] has it.
    set: Vec<u8>,
    /// The digests of what known names become, sorted.
    digests: Vec<u32>,
}

/// A name that a message does not have.
#[derive(Debug)]
pub(super) struct NewName {
    pub(super) name: String,
    /// As [`json_write::quoted`] has it.
    pub(super) quoted: Vec<u8>,
}

/// What becomes of a name.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    shown: Shown,
    group: Group,
}

/// As what a known name is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    Not,
    AsItIs,
    As(u16),
}

/// As what a name that is not known is shown.
#[derive(Clone, Copy, Debug)]
pub(super) enum OtherShown<'a> {
    Not,
    AsItIs,
    As(&'a str),
    /// With this for its dots.
    Dotted(&'a str),
}

/// Names of one group become the same; [`NO_GROUP`]: nothing else becomes what this one does.
type Group = u8;

/// Two parameters of a message may have become one: of the same name the last counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Collision;

/// What was met in a message.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    /// A bit for each group.
    groups: u64,
    /// The digests of names that are not known and that `dots` made, or may have made.
    digests: [u32; DIGESTS_MAX],
    count: usize,
}

impl<'a> Plan<'a> {
    /// What `convert` says, where a parameter `stamp` is added behind; none: it changes nothing.
    pub(crate) fn new(convert: &'a Convert, stamp: Option<&'a str>) -> Option<Self> {
        if convert.is_nothing() && stamp.is_none() {
            return None;
        }
        let mut plan = Self {
            convert,
            stamp,
            known: Vec::new(),
            names: Vec::new(),
            shared: Vec::new(),
            set: Vec::new(),
            digests: Vec::new(),
        };
        let set = convert.set.iter().filter(|(name, _)| stamp != Some(name));
        for (name, value) in set {
            json_write::field(name, value.as_ref(), &mut plan.set);
        }
        plan.decide();
        Some(plan)
    }

    /// Of all known names.
    fn decide(&mut self) {
        let known = || (0..).map_while(names::name).chain([SERVER]);
        let news: Vec<_> = known().map(|name| self.new_name(name)).collect();
        let news_twice = news.iter().flatten().filter(|new| {
            let same = news.iter().flatten().filter(|other| other == new);
            same.count() > 1
        });
        let renamed = self.convert.rename.iter().map(|(_, new)| new);
        self.shared = renamed.cloned().collect();
        self.shared.extend(news_twice.map(|new| new.to_string()));
        let digests = news.iter().flatten().map(|new| digest(new, None));
        self.digests = digests.collect();
        self.digests.sort_unstable();
        self.known = known()
            .zip(&news)
            .map(|(name, new)| self.verdict(name, new.as_deref()))
            .collect();
    }

    fn verdict(&mut self, name: &str, new: Option<&str>) -> Verdict {
        let Some(new) = new else {
            let (shown, group) = (Shown::Not, NO_GROUP);
            return Verdict { shown, group };
        };
        let group = self.group(&|shared| shared == new);
        if new == name {
            let shown = Shown::AsItIs;
            return Verdict { shown, group };
        }
        let mut quoted = Vec::new();
        json_write::name(new, &mut quoted);
        let name = new.to_owned();
        let shown = u16::try_from(self.names.len()).map_or(Shown::Not, Shown::As);
        self.names.push(NewName { name, quoted });
        Verdict { shown, group }
    }

    /// What a name becomes; none: it is not shown, or something behind has that name.
    pub(super) fn new_name<'n>(&self, name: &'n str) -> Option<Cow<'n, str>>
    where
        'a: 'n,
    {
        let convert = self.convert;
        if !convert.keeps(name) {
            return None;
        }
        let new = match (convert.renamed(name), &convert.dots) {
            (Some(new), _) => new.into(),
            (None, Some(dot)) if name.contains('.') => name.replace('.', dot).into(),
            (None, _) => Cow::from(name),
        };
        (!self.comes_behind(&|behind| behind == new)).then_some(new)
    }

    /// Whether something that is added has a name that fits.
    fn comes_behind(&self, is_it: &dyn Fn(&str) -> bool) -> bool {
        let mut set = self.convert.set.iter();
        self.stamp.is_some_and(is_it) || set.any(|(name, _)| is_it(name))
    }

    fn group(&self, is_it: &dyn Fn(&str) -> bool) -> Group {
        let place = self.shared.iter().position(|shared| is_it(shared));
        // the last one is that of all for which there is no more room
        let last = NO_GROUP - 1;
        place.map_or(NO_GROUP, |place| {
            u8::try_from(place).map_or(last, |place| place.min(last))
        })
    }

    /// What becomes of a known name.
    pub(super) fn known(&self, index: u16, met: &mut Met) -> Result<Shown, Collision> {
        let Some(verdict) = self.known.get(usize::from(index)) else {
            return Ok(Shown::Not);
        };
        met.meet(verdict.group)?;
        Ok(verdict.shown)
    }

    /// What becomes of [`SERVER`].
    pub(super) fn server(&self, met: &mut Met) -> Result<Shown, Collision> {
        let index = self.known.len().saturating_sub(1);
        self.known(u16::try_from(index).unwrap_or(u16::MAX), met)
    }

    /// What becomes of a name that is not known.
    pub(super) fn other(&self, name: &str, met: &mut Met) -> Result<OtherShown<'_>, Collision> {
        let convert = self.convert;
        if !convert.keeps(name) {
            return Ok(OtherShown::Not);
        }
        if let Some(new) = convert.renamed(name) {
            return self.unless_behind(OtherShown::As(new), &|shown| shown == new, met);
        }
        let is_dotted = name.contains('.');
        if let Some(dot) = &convert.dots
            && (is_dotted || is_native(name, dot))
        {
            let digest = digest(name, Some(dot));
            if self.digests.binary_search(&digest).is_ok() {
                return Err(Collision);
            }
            met.keep(digest)?;
        }
        match &convert.dots {
            Some(dot) if is_dotted => self.unless_behind(
                OtherShown::Dotted(dot),
                &|new| is_dotted_so(name, dot, new),
                met,
            ),
            _ => self.unless_behind(OtherShown::AsItIs, &|new| name == new, met),
        }
    }

    fn unless_behind<'s>(
        &self,
        shown: OtherShown<'s>,
        is_it: &dyn Fn(&str) -> bool,
        met: &mut Met,
    ) -> Result<OtherShown<'s>, Collision> {
        if self.comes_behind(is_it) {
            return Ok(OtherShown::Not);
        }
        met.meet(self.group(is_it))?;
        Ok(shown)
    }

    /// A name that [`Shown::As`] counts.
    pub(super) fn name(&self, place: u16) -> Option<&NewName> {
        self.names.get(usize::from(place))
    }

    /// What is added to each message.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let set = self.convert.set.iter();
        set.map(|(name, value)| (name.as_str(), value.as_ref()))
            .filter(|(name, _)| self.stamp != Some(*name))
    }

    /// The same, as [`json_write::field`] has it.
    pub(crate) fn set_json(&self) -> &[u8] {
        &self.set
    }
}

impl Met {
    fn meet(&mut self, group: Group) -> Result<(), Collision> {
        let Some(bit) = 1_u64.checked_shl(group.into()) else {
            return Ok(());
        };
        let known = self.groups;
        self.groups |= bit;
        match known & bit {
            0 => Ok(()),
            _ => Err(Collision),
        }
    }

    /// Of more than there is room for nobody knows.
    fn keep(&mut self, digest: u32) -> Result<(), Collision> {
        let mut known = self.digests.iter().take(self.count);
        let is_new = !known.any(|known| *known == digest);
        let place = self.digests.get_mut(self.count).filter(|_| is_new);
        *place.ok_or(Collision)? = digest;
        self.count += 1;
        Ok(())
    }
}

/// Where two names that become one by their dots differ first, one has a dot, the other the first
/// letter of what stands for it: whether this may be that other one.
fn is_native(name: &str, dot: &str) -> bool {
    let first = dot.chars().next();
    first.is_none_or(|first| name.contains(first))
}

/// A digest of a name, with `dot` for its dots: FNV-1a. Where two are equal the names may be.
fn digest(name: &str, dot: Option<&str>) -> u32 {
    let step = |digest: u32, byte: &u8| (digest ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let mut digest = 0x811c_9dc5;
    for byte in name.as_bytes() {
        digest = match dot {
            Some(dot) if *byte == b'.' => dot.as_bytes().iter().fold(digest, step),
            _ => step(digest, byte),
        };
    }
    digest
}

/// Whether a name with `dot` for its dots is `new`.
fn is_dotted_so(name: &str, dot: &str, new: &str) -> bool {
    let mut rest = Some(new);
    for (place, piece) in name.split('.').enumerate() {
        let behind_dot = rest.and_then(|rest| match place {
            0 => Some(rest),
            _ => rest.strip_prefix(dot),
        });
        rest = behind_dot.and_then(|rest| rest.strip_prefix(piece));
    }
    rest == Some("")
}

/// A name that weir adds to all messages and that is not known.
pub(crate) const SERVER: &str = "server.timestamp";

/// Names of a message that `dots` decides of and that are not known; where there are more it is
/// converted as a whole.
const DIGESTS_MAX: usize = 32;

/// As many as [`Met`] has bits.
const NO_GROUP: Group = 64;
