//! How much of the allocator a message costs between the ring and the link.

use crate::world::World;
use crate::world::delivery;
use allocation_counter::AllocationInfo;
use allocation_counter::measure;
use weir::message::Message;
use weir::message::body;
use weir::ring::Seq;
use weir::stream::engine::Fit;

/// Messages of one turn.
const TURN: u64 = 24;
const TURNS: u64 = 50;

fn stored() -> Vec<u8> {
    let mut message = Message::new("352093081452251").unwrap();
    message.set("position.latitude", 54.687_234_5);
    message.set("text", "x".repeat(200).as_str());
    let mut bytes = Vec::new();
    body::encode(&message, &mut bytes);
    bytes
}

/// Turns in which messages come, go and are acknowledged: what they cost when all that is kept
/// between them is there.
fn turns(send: &mut dyn FnMut(&mut World, &mut Vec<Seq>)) -> AllocationInfo {
    let (mut world, body) = (World::with(delivery()), stored());
    let mut sent = Vec::new();
    let mut turn = || {
        for _ in 0..TURN {
            world.bring(&body);
        }
        world.serve();
        send(&mut world, &mut sent);
        assert_eq!(sent.len() as u64, TURN);
        world.engine.accepted(0, &sent, world.now);
        sent.clear();
        world.serve();
    };
    (0..TURNS).for_each(|_| turn());
    measure(|| (0..TURNS).for_each(|_| turn()))
}

#[test]
fn a_message_that_goes_alone_costs_one_allocation_its_body() {
    let counted = turns(&mut |world, sent| {
        while let Some(message) = world.engine.next(world.now) {
            sent.push(message.seq);
        }
        for seq in sent.iter() {
            assert!(world.engine.tag(*seq) > 0);
        }
    });
    assert!(counted.count_total <= TURNS * TURN, "{counted:?}");
}

#[test]
fn a_batch_costs_one_more() {
    let counted = turns(&mut |world, sent| {
        let batch = world.engine.next_batch(world.now, |_| Fit::Taken);
        sent.extend(batch.unwrap());
    });
    assert!(counted.count_total <= TURNS * (TURN + 1), "{counted:?}");
}
