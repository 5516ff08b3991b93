//! The parts of a daemon that the configuration names, and the tasks that serve each. What a
//! configuration that is read again leaves as it was is not touched.

use super::channel::Channel;
use super::notes::Notes;
use super::serve_api::ApiListener;
use super::stream::Stream;
use super::thinned::AllThinned;
use super::waits::Executor;
use crate::channel::settings::Settings as ChannelSettings;
use crate::clock::Clock;
use crate::config::Config;
use crate::ring::Ring;
use crate::route::Routes;
use crate::stream::settings::Settings;
use smol::Task;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What the configuration names.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) channels: Vec<Rc<Channel>>,
    pub(super) streams: Vec<Rc<Stream>>,
    pub(super) notes: Rc<Notes>,
}

/// Tasks, by the name of whom they serve.
pub(super) type Tasks = BTreeMap<String, Vec<Task<()>>>;

/// What runs.
pub(super) struct Work {
    pub(super) executor: Executor,
    pub(super) channels: Tasks,
    pub(super) streams: BTreeMap<String, Running>,
    /// Streams that end, one of a name: what is in flight is awaited. None of its name begins
    /// before it has ended.
    pub(super) ending: BTreeMap<String, Ending>,
    /// How many reloads have channels, or the API, that are being closed: none begins before all
    /// addresses are free.
    pub(super) closing: usize,
    pub(super) api: Option<ApiListener>,
    /// Sums up each stream now and then.
    pub(super) summary: Option<Task<()>>,
}

/// A stream that runs.
pub(super) struct Running {
    pub(super) stream: Rc<Stream>,
    pub(super) task: Task<()>,
}

/// A stream that was told to end.
pub(super) struct Ending {
    pub(super) running: Running,
    /// Its place in the ring is not wanted any more.
    pub(super) is_forgotten: bool,
}

impl Parts {
    /// Those of a configuration; of the streams only those that are `attached` to the ring.
    pub(super) fn new(
        config: Config,
        clock: &Clock,
        attached: Vec<Stream>,
        notes: Rc<Notes>,
    ) -> Self {
        let channel = |settings: &ChannelSettings| {
            let channel = Channel::new(settings.clone(), clock.clone(), Rc::clone(&notes));
            Rc::new(channel)
        };
        Self {
            channels: config.channels.iter().map(channel).collect(),
            streams: attached.into_iter().map(Rc::new).collect(),
            config,
            notes,
        }
    }

    /// Routes to the streams that take.
    pub(super) fn routes(&self) -> Routes {
        let (devices, groups) = (self.config.devices.clone(), self.config.groups.clone());
        let mut routes = Routes::new(devices, groups);
        for stream in self.streams.iter().filter(|stream| stream.enabled.get()) {
            routes.subscribe(stream.id, stream.settings.subscription.clone());
        }
        routes
    }

    /// What its streams leave out of what comes.
    pub(super) fn thinned(&self) -> AllThinned {
        let streams = self.streams.iter();
        AllThinned::new(streams.filter_map(|stream| stream.thinned.clone()))
    }

    /// Takes over what an earlier one has as well: a part that is the same as it is, of one that
    /// has changed the counters and events. Gives the names of those that are not the same.
    pub(super) fn keep(&mut self, before: &Self) -> Vec<String> {
        let mut changed = Vec::new();
        for channel in &mut self.channels {
            let old = before
                .channels
                .iter()
                .find(|old| old.name() == channel.name());
            match old {
                Some(old) if *old.settings == *channel.settings => *channel = Rc::clone(old),
                old => {
                    changed.push(channel.name().to_owned());
                    old.into_iter().for_each(|old| channel.continue_from(old));
                }
            }
        }
        for stream in &mut self.streams {
            let name = &stream.settings.name;
            let old = before.streams.iter().find(|old| old.settings.name == *name);
            match old {
                Some(old) if old.is_set_as(&stream.settings) && old.id == stream.id => {
                    *stream = Rc::clone(old);
                }
                old => {
                    changed.push(name.clone());
                    let new = Rc::get_mut(stream);
                    debug_assert!(new.is_some(), "nobody has it yet");
                    new.zip(old)
                        .into_iter()
                        .for_each(|(new, old)| new.continue_from(old));
                }
            }
        }
        changed
    }

    /// Goes on with the counters and events of an earlier one, which has ended with its ring.
    pub(super) fn continue_after(&mut self, before: &Self) {
        for channel in &self.channels {
            let mut old = before.channels.iter();
            let old = old.find(|old| old.name() == channel.name());
            old.into_iter().for_each(|old| channel.continue_from(old));
        }
        for stream in &mut self.streams {
            let mut old = before.streams.iter();
            let old = old.find(|old| old.settings.name == stream.settings.name);
            let new = Rc::get_mut(stream);
            debug_assert!(new.is_some(), "nobody has it yet");
            new.zip(old)
                .into_iter()
                .for_each(|(new, old)| new.continue_after(old));
        }
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let channels = self.channels.iter().map(|channel| channel.name());
        channels.chain(
            self.streams
                .iter()
                .map(|stream| stream.settings.name.as_str()),
        )
    }
}

impl Work {
    /// Nothing runs yet.
    pub(super) fn new(executor: &Executor) -> Self {
        Self {
            executor: Rc::clone(executor),
            channels: Tasks::new(),
            streams: BTreeMap::new(),
            ending: BTreeMap::new(),
            closing: 0,
            api: None,
            summary: None,
        }
    }
}

/// Gives a stream its place in the ring.
///
/// # Errors
/// Why it has none.
pub(super) fn attach(ring: &mut Ring, settings: Settings, clock: &Clock) -> Result<Stream, String> {
    match ring.attach(&settings.name, settings.from, clock.now()) {
        Ok(id) => {
            let client_id = format!("weir-{:016x}-{}", ring.id(), settings.name);
            Ok(Stream::new(id, settings, client_id))
        }
        Err(error) => Err(format!("stream `{}`: {error}", settings.name)),
    }
}
