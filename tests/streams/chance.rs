//! Far ends that say anything at any time: the counters balance after each step, and a far end
//! that comes to its senses gets what is left.

use crate::http;
use crate::random::Random;
use crate::talk::Talk;
use crate::talk::lose;
use crate::wialon;
use crate::wialon_ips;
use crate::world::World;
use weir::stream::Disconnect;
use weir::stream::settings::Settings;
use weir::stream::wialon_retranslator::Ack;

const HTTP: [&str; 12] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 204 X\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 413 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbig\r\n0\r\n\r\n",
    "HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 503 X\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
    "HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\nuntil it ends",
    "HTTP/1.1 2",
    "\r\n",
    "\u{0}",
];

const WIALON: [&str; 3] = ["\u{11}", "\u{11}\u{11}\u{11}", "\u{12}"];

const IPS: [&str; 12] = [
    "#AL#1\r\n",
    "#AL#1\r\n",
    "#AL#0\r\n",
    "#AL#01\r\n",
    "#AB#30\r\n",
    "#AB#2\r\n",
    "#AB#\r\n",
    "#AD#1\r\n",
    "#AD#-1\r\n",
    "#AD#16\r\n",
    "#M#turn left\r\n",
    "\u{0}#",
];

/// One thing that happens.
fn step<'a>(
    mut talk: Talk<'a>,
    world: &mut World,
    settings: &'a Settings,
    says: &[&str],
    random: &mut Random,
) -> Talk<'a> {
    let text = says[random.below(says.len())].as_bytes();
    let disconnect: Result<(), Disconnect> = match random.below(8) {
        0..=2 => talk.hears(world, text).map(drop),
        3 => talk.hears_in_pieces(world, text, random),
        4 if talk.wants_to_be_woken(world) => talk.wakes(world).map(drop),
        5 if random.below(4) == 0 => {
            world.restart();
            Ok(())
        }
        6 if random.below(3) == 0 => {
            let disconnect = talk.ends(world);
            lose(world, &disconnect);
            return Talk::new(world, settings);
        }
        _ => talk.sent(world).map(drop),
    };
    if let Err(disconnect) = disconnect {
        lose(world, &disconnect);
        return Talk::new(world, settings);
    }
    world.wait();
    talk
}

/// A far end that takes everything, until nothing is left.
fn come_to_senses(world: &mut World, settings: &Settings, answers: &dyn Fn(&[u8]) -> Vec<u8>) {
    let mut talk = Talk::new(world, settings);
    for _ in 0..200 {
        if world.counters().backlog == 0 {
            return;
        }
        world.wait();
        let told = talk.sent(world).and_then(|mut sent| {
            while !sent.is_empty() {
                sent = talk.hears(world, &answers(&sent))?;
            }
            Ok(())
        });
        if let Err(disconnect) = told {
            lose(world, &disconnect);
            talk = Talk::new(world, settings);
        }
    }
    panic!("{:?} is stuck", world.counters());
}

fn live(settings: &Settings, says: &[&str], answers: &dyn Fn(&[u8]) -> Vec<u8>) {
    for seed in 1..=300 {
        let (mut random, mut world) = (Random(seed), World::of(settings));
        world.append_many(1 + random.below(30));
        let mut talk = Talk::new(&world, settings);
        for _ in 0..40 {
            talk = step(talk, &mut world, settings, says, &mut random);
            world.counters();
            if random.below(10) == 0 {
                world.append_many(5);
            }
        }
        drop(talk);
        world.restart();
        come_to_senses(&mut world, settings, answers);
    }
}

#[test]
fn a_server_that_answers_by_chance_unbalances_nothing() {
    let settings = http::settings();
    live(&settings, &HTTP, &|_| http::OK.to_vec());
}

#[test]
fn a_receiver_that_answers_by_chance_unbalances_nothing() {
    let settings = wialon::settings(5, Ack::Byte);
    live(&settings, &WIALON, &|sent| {
        vec![0x11; wialon::packets(sent).len()]
    });
}

#[test]
fn a_server_of_wialon_that_answers_by_chance_unbalances_nothing() {
    live(&wialon_ips::settings(), &IPS, &wialon_ips::taken);
}
