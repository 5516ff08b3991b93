//! Routes: which streams want a message of a channel and an ident. Decided when it comes.

use crate::config::Device;
use crate::config::Group;
use crate::message::body::Body;
use crate::pattern;
use crate::pattern::PatternIndex;
use crate::ring::StreamId;
use crate::ring::StreamSet;
use crate::stream::settings::Subscription;
use std::collections::HashSet;

/// All subscriptions of the streams that are enabled.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    devices: Vec<Device>,
    /// Of their idents.
    index: PatternIndex,
    /// By the place of a device: who names it, or a group that it is in.
    of_devices: Vec<StreamSet>,
    groups: Vec<Group>,
    /// The channels of each stream.
    streams: Vec<(StreamId, Vec<String>)>,
}

impl Routes {
    /// Routes over the devices and groups of a configuration.
    #[must_use]
    pub fn new(devices: Vec<Device>, groups: Vec<Group>) -> Self {
        Self {
            index: PatternIndex::new(devices.iter().map(|device| &device.ident)),
            of_devices: Vec::new(),
            devices,
            groups,
            streams: Vec::new(),
        }
    }

    /// Adds what a stream subscribes to.
    pub fn subscribe(&mut self, stream: StreamId, subscription: Subscription) {
        if !subscription.devices.is_empty() || !subscription.groups.is_empty() {
            self.subscribe_to_devices(stream, &subscription);
        }
        self.streams.push((stream, subscription.channels));
    }

    /// Takes away what a stream subscribes to.
    pub fn unsubscribe(&mut self, stream: StreamId) {
        self.streams.retain(|(known, _)| *known != stream);
        for streams in &mut self.of_devices {
            *streams = streams.without(stream.mask());
        }
    }

    /// The streams that want a message, each once however often it matches.
    #[must_use]
    pub fn wanted_by(&self, channel: &str, ident: &str) -> StreamSet {
        let matching = self.streams.iter();
        let matching = matching.filter(|(_, channels)| names(channels, channel));
        let by_channel = matching.fold(StreamSet::default(), |mask, (stream, _)| {
            mask | stream.mask()
        });
        by_channel | self.wanted_by_device(ident)
    }

    /// Whether one stream wants a message.
    #[must_use]
    pub fn wants(&self, stream: StreamId, channel: &str, ident: &str) -> bool {
        let wanted = self.wanted_by(channel, ident);
        wanted.without(stream.mask()) != wanted
    }

    /// The same of a message as the ring keeps it; not where its bytes are damaged.
    #[must_use]
    pub fn wants_body(&self, stream: StreamId, body: &[u8]) -> bool {
        Body::new(body).is_ok_and(|body| self.wants(stream, body.channel_name(), body.ident()))
    }

    /// The first device of which `ident` is one.
    #[must_use]
    pub fn device(&self, ident: &str) -> Option<&Device> {
        let fits = |place| self.is_device(place, ident);
        self.devices.get(self.index.first(ident, &fits)?)
    }

    fn is_device(&self, place: usize, ident: &str) -> bool {
        let device = self.devices.get(place);
        device.is_some_and(|device| device.ident.matches(ident))
    }

    fn wanted_by_device(&self, ident: &str) -> StreamSet {
        let mut wanted = StreamSet::default();
        if self.of_devices.is_empty() {
            return wanted;
        }
        let places = self.index.candidates(ident);
        for place in places.filter(|place| self.is_device(*place, ident)) {
            wanted = wanted | self.of_devices.get(place).copied().unwrap_or_default();
        }
        wanted
    }

    /// Finds once what each message would have to ask for.
    fn subscribe_to_devices(&mut self, stream: StreamId, to: &Subscription) {
        self.of_devices
            .resize(self.devices.len(), StreamSet::default());
        let groups = self.groups.iter();
        let groups = groups.filter(|group| names(&to.groups, &group.name));
        let of_groups = groups.flat_map(|group| &group.devices);
        // a fleet has thousands of devices, and a group may have them all
        let named: HashSet<&str> = to
            .devices
            .iter()
            .chain(of_groups)
            .map(String::as_str)
            .collect();
        let starred = || to.devices.iter().filter(|name| name.contains('*'));
        for (device, streams) in self.devices.iter().zip(&mut self.of_devices) {
            let name = device.name.as_str();
            if named.contains(name) || starred().any(|wanted| pattern::fits(wanted, name)) {
                *streams = *streams | stream.mask();
            }
        }
    }
}

/// Whether a list of names has `name` in it; a name can be a pattern, `*` is all.
fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|wanted| pattern::fits(wanted, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::pattern::Pattern;
    use crate::ring::From;
    use crate::ring::Full;
    use crate::ring::Memory;
    use crate::ring::Ring;
    use crate::ring::Settings;
    use std::time::Duration;

    fn routes() -> Routes {
        let device = |name: &str, ident: &str| Device {
            name: name.to_owned(),
            ident: Pattern::new(ident),
            data: Vec::new(),
        };
        let trucks = Group {
            name: "trucks".to_owned(),
            devices: vec!["truck 7".to_owned()],
        };
        Routes::new(
            vec![device("truck 7", "352*"), device("van", "99")],
            vec![trucks],
        )
    }

    fn ids() -> [StreamId; 3] {
        let (delay, hold) = (Duration::ZERO, Duration::ZERO);
        let settings = Settings {
            size: 0,
            delay,
            hold,
            bytes: 65536,
            full: Full::DropOldest,
        };
        let now = Clock::new().now();
        let memory = Box::new(Memory::new(256 * 1024));
        let (mut ring, _) = Ring::open(memory, settings, now, 1).unwrap();
        ["a", "b", "c"].map(|name| ring.attach(name, From::New, now).unwrap())
    }

    fn to(channels: &[&str], devices: &[&str], groups: &[&str]) -> Subscription {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Subscription {
            channels: owned(channels),
            devices: owned(devices),
            groups: owned(groups),
        }
    }

    #[test]
    fn a_message_that_matches_twice_is_wanted_once() {
        let mut routes = routes();
        let [_, _, stream] = ids();
        routes.subscribe(stream, to(&["trackers"], &["truck 7"], &["trucks"]));
        assert_eq!(routes.wanted_by("trackers", "3521"), stream.mask());
    }

    #[test]
    fn a_subscription_to_nothing_wants_nothing() {
        let mut routes = routes();
        routes.subscribe(ids()[0], Subscription::default());
        assert_eq!(routes.wanted_by("trackers", "3521"), StreamSet::default());
    }

    #[test]
    fn a_stream_that_unsubscribes_wants_nothing_more() {
        let mut routes = routes();
        let [a, b, _] = ids();
        routes.subscribe(a, to(&["*"], &[], &[]));
        routes.subscribe(b, to(&["*"], &[], &[]));
        routes.unsubscribe(a);
        assert_eq!(routes.wanted_by("x", "1"), b.mask());
    }

    #[test]
    fn devices_and_groups_are_found_by_the_ident() {
        let mut routes = routes();
        let [all, van, trucks] = ids();
        routes.subscribe(all, to(&["*"], &[], &[]));
        routes.subscribe(van, to(&[], &["van"], &[]));
        routes.subscribe(trucks, to(&[], &[], &["trucks"]));
        assert_eq!(routes.wanted_by("x", "3521"), all.mask() | trucks.mask());
        assert_eq!(routes.wanted_by("x", "99"), all.mask() | van.mask());
        assert_eq!(routes.wanted_by("x", "1"), all.mask());
        assert!(routes.wants(van, "x", "99") && !routes.wants(van, "x", "98"));
    }
}
