//! A link and the far end of its connection, of which a test plays the part.

use crate::random::Random;
use crate::world::World;
use std::rc::Rc;
use weir::stream;
use weir::stream::Destination;
use weir::stream::Disconnect;
use weir::stream::Link;
use weir::stream::LinkContext;
use weir::stream::settings::Delivery;
use weir::stream::settings::Settings;

/// One connection.
pub(crate) struct Talk<'a> {
    link: Box<dyn Link + 'a>,
    input: Vec<u8>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(world: &World, settings: &'a Settings) -> Self {
        let link = stream::link(settings, "weir-1", &world.engine, world.now);
        Self {
            link,
            input: Vec::new(),
        }
    }

    /// Over a link that a test has made.
    pub(crate) fn over(link: Box<dyn Link + 'a>) -> Self {
        let input = Vec::new();
        Self { link, input }
    }

    /// What the link sends when each of its writes is taken at once.
    pub(crate) fn sent(&mut self, world: &mut World) -> Result<Vec<u8>, Disconnect> {
        let mut all = Vec::new();
        loop {
            world.serve();
            let piece = self.write(world)?;
            if piece.is_empty() {
                return Ok(all);
            }
            assert!(piece.len() < stream::OUT_MAX + 64 * 1024);
            all.extend(piece);
        }
    }

    /// What the link sends before the socket took any of it.
    pub(crate) fn write(&mut self, world: &mut World) -> Result<Vec<u8>, Disconnect> {
        let mut out = Vec::new();
        self.link.send(&mut turn(world, &mut out))?;
        Ok(out)
    }

    /// The far end sends bytes; what the link answers at once.
    pub(crate) fn hears(&mut self, world: &mut World, bytes: &[u8]) -> Result<Vec<u8>, Disconnect> {
        self.input.extend_from_slice(bytes);
        let mut out = Vec::new();
        let used = self.link.receive(&self.input, &mut turn(world, &mut out))?;
        self.input.drain(..used);
        world.serve();
        Ok(out)
    }

    /// The same, in pieces of any length.
    pub(crate) fn hears_in_pieces(
        &mut self,
        world: &mut World,
        bytes: &[u8],
        random: &mut Random,
    ) -> Result<(), Disconnect> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random.below(rest.len()));
            self.hears(world, piece)?;
            rest = after;
        }
        Ok(())
    }

    /// The link is woken when it wants to be; what it sends then.
    pub(crate) fn wakes(&mut self, world: &mut World) -> Result<Vec<u8>, Disconnect> {
        let due = self.link.wake_at(&world.engine).unwrap();
        assert!(due > world.now.mono, "it wants to be woken in the past");
        let mut out = Vec::new();
        self.link.wake(&mut turn(world, &mut out)).unwrap();
        assert!(out.is_empty(), "woken early, it did something");
        world.pass(due - world.now.mono);
        self.link.wake(&mut turn(world, &mut out))?;
        Ok(out)
    }

    pub(crate) fn wants_to_be_woken(&self, world: &World) -> bool {
        self.link.wake_at(&world.engine).is_some()
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.link.is_ready()
    }

    /// The far end closes the connection.
    pub(crate) fn ends(mut self, world: &mut World) -> Disconnect {
        self.closes(world)
    }

    /// The same.
    pub(crate) fn closes(&mut self, world: &mut World) -> Disconnect {
        let disconnect = Disconnect::ended("closed by the destination");
        let mut out = Vec::new();
        self.link.closed(disconnect, &mut turn(world, &mut out))
    }
}

/// What the daemon does when a connection is lost, and after the pause.
pub(crate) fn lose(world: &mut World, disconnect: &Disconnect) {
    let (epoch, now) = (world.engine.epoch(), world.now);
    world.engine.disconnected(epoch, disconnect.retry, now, 0);
    world.serve();
    world.wait();
}

pub(crate) fn settings(destination: impl Destination, delivery: Delivery) -> Settings {
    Settings {
        delivery,
        ..Settings::new("cloud", destination)
    }
}

/// The same stream with other keys of its destination.
pub(crate) fn changed<T: Destination + Clone>(
    settings: Settings,
    change: impl FnOnce(&mut T),
) -> Settings {
    let mut destination = settings.destination.downcast_ref::<T>().unwrap().clone();
    change(&mut destination);
    Settings {
        destination: Rc::new(destination),
        ..settings
    }
}

fn turn<'a>(world: &'a mut World, out: &'a mut Vec<u8>) -> LinkContext<'a> {
    LinkContext {
        now: world.now,
        engine: &mut world.engine,
        out,
        random: 0,
    }
}
