//! Stages between the two sides: what the ring, the engine and the selection do with a message.

use crate::counter::Counter;
use crate::one_stream::settings;
use crate::sample;
use crate::world::NOW;
use crate::world::World;
use weir::message::body;
use weir::message::json;
use weir::message::json::Names;

/// A message becomes what is stored of it.
pub(crate) fn store(counter: &mut Counter) {
    let names = Names::default();
    let mut out = Vec::new();
    for round in 0..ROUNDS {
        let messages: Vec<_> = (round * BATCH..(round + 1) * BATCH)
            .map(|number| json::parse(sample::json(number).as_bytes(), &names).expect("right"))
            .collect();
        counter.round(BATCH, || {
            for message in &messages {
                out.clear();
                body::encode(message, &mut out);
            }
        });
    }
}

/// The ring takes what is stored.
pub(crate) fn append(counter: &mut Counter) {
    let mut world = World::new(&settings(FILE));
    for _ in 0..ROUNDS {
        let bodies = world.bodies(BATCH);
        let (ring, mask) = (&mut world.ring, world.stream.mask());
        counter.round(BATCH, || {
            for body in &bodies {
                ring.append(mask, NOW, body).expect("there is room");
            }
        });
        ring.commit(NOW).expect("memory never fails");
    }
}

/// What was taken is written, to a disk that costs nothing.
pub(crate) fn commit(counter: &mut Counter) {
    let mut world = World::new(&settings(FILE));
    for _ in 0..ROUNDS {
        world.append(BATCH);
        counter
            .round(BATCH, || world.ring.commit(NOW))
            .expect("memory never fails");
    }
}

/// What waits in memory is read, sent, accepted and settled.
pub(crate) fn engine(counter: &mut Counter) {
    engine_of(counter, "", BATCH);
}

/// The same from the disk.
pub(crate) fn engine_backlog(counter: &mut Counter) {
    let mut world = World::new(&settings(FILE));
    for _ in 0..ROUNDS {
        world.append(BATCH);
        world.ring.commit(NOW).expect("memory never fails");
        counter.round(BATCH, || deliver(&mut world));
    }
}

/// The engine, and a filter of three terms that every message passes.
pub(crate) fn engine_filter(counter: &mut Counter) {
    let filter = "position.speed >= 0 && exists('position.latitude') && ident != 'x'";
    engine_of(counter, &format!("filter = \"{filter}\""), BATCH);
}

fn engine_of(counter: &mut Counter, keys: &str, expected: u64) {
    let mut world = World::new(&settings(&format!("{FILE}\n{keys}")));
    for _ in 0..ROUNDS {
        world.append(BATCH);
        let sent = counter.round(BATCH, || deliver(&mut world));
        assert_eq!(sent, expected);
    }
}

/// All that waits; how many were sent.
fn deliver(world: &mut World) -> u64 {
    let mut sent = 0;
    loop {
        world.fill();
        let mut batch = Vec::new();
        while let Some(message) = world.engine.next(NOW) {
            batch.push(message.seq);
        }
        if batch.is_empty() {
            return sent;
        }
        sent += batch.len() as u64;
        let epoch = world.engine.epoch();
        world.engine.accepted(epoch, &batch, NOW);
        world.settle();
    }
}

const FILE: &str = "type = \"file\"\npath = \"/f\"";
const BATCH: u64 = 50;
const ROUNDS: u64 = 30;
