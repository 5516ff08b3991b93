//! What shows only between tables: names that nobody has, addresses that two want, channels that
//! no stream wants.

use super::Api;
use super::channel;
use super::device;
use super::device::GroupDraft;
use super::merge::Merged;
use super::merge::Tables;
use super::parameters;
use super::stream;
use crate::channel::settings::Unwanted;
use crate::keys::context::Context;
use crate::keys::context::Text;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::phrase::list;
use crate::keys::phrase::shorten;
use crate::keys::source::Place;
use crate::net::Address;
use crate::spelling::nearest;
use crate::stream::settings;
use crate::stream::settings::Settings;
use crate::stream::settings::Transform;
use crate::stream::texts::SharedTexts;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::rc::Rc;

/// The tables as they were read.
pub(super) struct Drafts {
    /// `[[device]]`.
    pub(super) devices: Vec<device::Draft>,
    /// `[[group]]`.
    pub(super) groups: Vec<GroupDraft>,
    /// `[[channel]]`.
    pub(super) channels: Vec<channel::Draft>,
    /// `[[stream]]`.
    pub(super) streams: Vec<stream::Draft>,
}

/// Notes what is wrong between tables. A name that nobody has is left out, and a channel whose
/// address another has.
pub(super) fn check(context: &Context<'_>, merged: &Merged, api: &Api, drafts: &mut Drafts) {
    let channels = Names {
        kind: "channel",
        known: names(&merged.channels),
        star: Star::All,
    };
    let devices = Names {
        kind: "device",
        known: names(&merged.devices),
        star: Star::All,
    };
    let groups = Names {
        kind: "group",
        known: names(&merged.groups),
        star: Star::All,
    };
    for group in &mut drafts.groups {
        let devices = Names {
            star: Star::Nothing,
            ..devices.clone()
        };
        let known = devices.of(context, &group.devices);
        if let Some(group) = &mut group.group {
            group.devices = known;
        }
    }
    refuse_shared_idents(context, &drafts.devices);
    let data = drafts.devices.iter().map(|draft| settings::Device {
        ident: draft.device.ident.clone(),
        data: draft.device.data.clone(),
    });
    let data = Rc::new(settings::Devices::new(data.collect()));
    for stream in &mut drafts.streams {
        let wanted = settings::Subscription {
            channels: channels.of(context, &stream.channels),
            devices: devices.of(context, &stream.devices),
            groups: groups.of(context, &stream.groups),
        };
        let Some(settings) = &mut stream.settings else {
            continue;
        };
        settings.transform.devices = Rc::clone(&data);
        settings.subscription = wanted;
        if stream.channels.is_empty() && stream.devices.is_empty() && stream.groups.is_empty() {
            let diagnostic =
                DiagnosticAt::warning(stream.name, "this stream subscribes to nothing");
            context.note(diagnostic.hint("write `channels = [\"*\"]` for all"));
        }
    }
    share_texts(
        drafts
            .streams
            .iter_mut()
            .filter_map(|stream| stream.settings.as_mut()),
    );
    refuse_shared_addresses(context, api, &mut drafts.channels);
    if drafts
        .streams
        .iter()
        .all(|stream| stream.settings.is_some())
    {
        warn_of_unwanted(context, drafts);
    }
    parameters::warn_of_slips(context, merged, &drafts.streams);
}

/// Gives streams that show messages alike the texts of each other.
fn share_texts<'s>(streams: impl Iterator<Item = &'s mut Settings>) {
    let mut transforms: Vec<&mut Transform> = streams.map(|stream| &mut stream.transform).collect();
    let mut rest = &mut *transforms;
    while let [first, others @ ..] = rest {
        let alike = others
            .iter_mut()
            .filter(|other| other.is_like(first) && !other.texts.are_shared());
        let mut texts = first.texts.clone();
        for other in alike {
            if !texts.are_shared() {
                texts = SharedTexts::new();
            }
            other.texts = texts.clone();
        }
        first.texts = texts;
        rest = others;
    }
}

/// Names that can be referred to, those of tables with a mistake included.
#[derive(Clone)]
struct Names<'a> {
    kind: &'static str,
    known: Vec<&'a str>,
    star: Star,
}

/// What `*` means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Star {
    All,
    Nothing,
}

impl Names<'_> {
    /// Those of `texts` that are known; the others are noted.
    fn of(&self, context: &Context<'_>, texts: &[Text]) -> Vec<String> {
        let known = texts.iter().filter(|text| self.knows(context, text));
        known.map(|text| text.value.clone()).collect()
    }

    /// Whether the name is known; if not, that is noted.
    fn knows(&self, context: &Context<'_>, text: &Text) -> bool {
        let star = text.value == "*" && self.star == Star::All;
        if star || self.known.contains(&text.value.as_str()) {
            context.unquoted(text);
            return text.unquoted.is_none();
        }
        let error = ValueError::new(format!("there is no {} {}", self.kind, text.shown()));
        let near = nearest(&text.value, self.known.iter().copied());
        context.wrong(
            text,
            match (near, self.known.first()) {
                (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
                (None, Some(first)) if text.unquoted.is_some() => {
                    error.hint(format!("write `{first}`"))
                }
                (None, Some(_)) => error.hint(format!("there are {}", list(&self.known))),
                (None, None) => error.hint(format!("write a `[[{}]]`", self.kind)),
            },
        );
        false
    }
}

/// Those of all tables, right or wrong: one mistake is told once.
fn names(tables: &Tables) -> Vec<&str> {
    tables
        .iter()
        .filter_map(|named| named.name.as_deref())
        .collect()
}

/// Notes the devices whose ident another has: only the first of them names messages. They are
/// not left out, since streams and groups know the second one as well.
fn refuse_shared_idents(context: &Context<'_>, devices: &[device::Draft]) {
    let mut first: HashMap<&str, &device::Draft> = HashMap::new();
    for draft in devices {
        let ident = draft.device.ident.as_str();
        match first.entry(ident) {
            Entry::Vacant(entry) => {
                entry.insert(draft);
            }
            Entry::Occupied(entry) => {
                let name = shorten(&entry.get().device.name);
                let message = format!("the device `{name}` has this ident already");
                let hint = "give each device an ident of its own";
                context.note(DiagnosticAt::error(draft.ident, message).hint(hint));
            }
        }
    }
}

/// Keeps the first of those that want one address.
fn refuse_shared_addresses(context: &Context<'_>, api: &Api, channels: &mut Vec<channel::Draft>) {
    let mut taken: Vec<(Address, String)> = Vec::new();
    taken.extend(
        api.listen
            .clone()
            .map(|address| (address, "the API".to_owned())),
    );
    channels.retain(|channel| {
        let settings = &channel.settings;
        let before = context.errors();
        for (address, place) in settings.listen.iter().zip(&channel.listen) {
            match taken.iter().find(|(other, _)| overlap(address, other)) {
                Some((_, owner)) => note_shared(context, *place, owner),
                None => {
                    let name = shorten(&settings.name);
                    taken.push((address.clone(), format!("the channel `{name}`")));
                }
            }
        }
        context.errors() == before
    });
}

/// Notes that `owner` has the address already.
fn note_shared(context: &Context<'_>, place: Place, owner: &str) {
    let diagnostic = DiagnosticAt::error(place, format!("{owner} listens there already"));
    context.note(diagnostic.hint("give each an address or a port of its own"));
}

/// Whether the system refuses to bind the one beside the other.
fn overlap(one: &Address, other: &Address) -> bool {
    let sockets = |one: &SocketAddr, other: &SocketAddr| {
        let any = one.ip().is_unspecified() || other.ip().is_unspecified();
        let ip = one.ip() == other.ip() || any && one.is_ipv4() == other.is_ipv4();
        one.port() == other.port() && ip
    };
    match (one, other) {
        (Address::Tcp(one), Address::Tcp(other)) => sockets(one, other),
        (Address::Udp(one), Address::Udp(other)) => sockets(one, other),
        (Address::Unix(one), Address::Unix(other)) => one == other,
        (Address::Serial(one), Address::Serial(other)) => one.path == other.path,
        _ => false,
    }
}

/// Channels whose messages nobody takes; devices and groups may be on any channel.
fn warn_of_unwanted(context: &Context<'_>, drafts: &Drafts) {
    let enabled = || {
        drafts
            .streams
            .iter()
            .filter_map(|stream| stream.settings.as_ref())
            .filter(|s| s.enabled)
    };
    let by_device =
        |wanted: &settings::Subscription| !wanted.devices.is_empty() || !wanted.groups.is_empty();
    if enabled().any(|stream| by_device(&stream.subscription)) {
        return;
    }
    for channel in &drafts.channels {
        let wants = |name: &String| name == "*" || *name == channel.settings.name;
        let wanted = enabled().any(|stream| stream.subscription.channels.iter().any(wants));
        if !wanted && channel.settings.unwanted == Unwanted::Refuse {
            let message = "no enabled stream wants what this channel takes";
            let diagnostic = DiagnosticAt::warning(channel.name, message);
            context.note(diagnostic.hint("it refuses every message until one does"));
        }
    }
}
