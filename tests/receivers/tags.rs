//! TAG blocks before sentences: when these were received, and never who sent them.

use crate::ais::receiver;
use crate::number;
use crate::sentence;
use crate::ships::Bits;
use crate::ships::parts;
use crate::support::channel::Connection;
use crate::support::random::Random;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Ships;
use weir::channel::nmea::Units;
use weir::message::Message;

/// With its checksum.
fn tag(fields: &str) -> String {
    let sum = fields.bytes().fold(0, |sum, byte| sum ^ byte);
    format!("\\{fields}*{sum:02X}\\")
}

/// Without a date: 12 o'clock.
fn gga() -> String {
    sentence("GPGGA,120000,0100.0,N,00200.0,E,1,08,1.1,59.9,M,,M,,")
}

fn heard(ident: Option<&str>, text: &str) -> Connection<Nmea> {
    let mut line = receiver(ident, Ships::All);
    line.send(text.as_bytes());
    line.pass(Duration::from_secs(1));
    line
}

#[test]
fn a_tag_block_tells_the_day_and_is_no_name() {
    // 2023-11-14T22:13:20Z; noon is nearest on that day
    let noon = 1_699_963_200.0;
    for fields in [
        "c:1700000000",
        "c:1700000000000",
        "g:1-1-17,s:r000000017,c:1700000000",
        "s:GN0001,n:17, c:1700000000",
    ] {
        for ident in [None, Some("gw")] {
            let named = sentence("PGID,router");
            let line = heard(ident, &format!("{named}{}{}", tag(fields), gga()));
            assert_eq!(line.intake.malformed, [], "{fields}");
            let taken = &line.intake.taken;
            assert_eq!(taken.len(), 1, "{fields}");
            assert_eq!(taken[0].ident(), ident.unwrap_or("router"), "{fields}");
            assert_eq!(number(&taken[0], "timestamp"), noon, "{fields}");
        }
    }
    // the sentence's own date is better; a block of no time says none
    let rmc = sentence("GPRMC,120000,A,0100.0,N,00200.0,E,1,1,010125,,");
    let line = heard(Some("gw"), &format!("{}{rmc}", tag("c:1700000000")));
    assert_eq!(number(&line.intake.taken[0], "timestamp"), 1_735_732_800.0);
    for fields in [
        "s:r1",
        "c:",
        "c:x",
        "c:-1",
        "c:99999999999999999999",
        "xc:1700000000",
    ] {
        let line = heard(Some("gw"), &format!("{}{}", tag(fields), gga()));
        let wanted = number(&heard(Some("gw"), &gga()).intake.taken[0], "timestamp");
        assert_eq!(
            number(&line.intake.taken[0], "timestamp"),
            wanted,
            "{fields}"
        );
        assert_eq!(line.intake.malformed, [], "{fields}");
    }
}

#[test]
fn a_sentence_without_a_time_was_measured_when_its_tag_block_says() {
    let rmc = sentence("GPRMC,,A,0100.0,N,00200.0,E,1,1,,,");
    let line = heard(Some("gw"), &format!("{}{rmc}{rmc}", tag("c:1700000000")));
    assert_eq!(number(&line.intake.taken[0], "timestamp"), 1_700_000_000.0);
    // it counts for one sentence, and no longer
    assert!(!line.intake.taken[1].has("timestamp"));
}

#[test]
fn a_tag_block_with_a_wrong_checksum_costs_itself() {
    let wrong = tag("c:1700000000").replace("1700", "1710");
    let line = heard(Some("gw"), &format!("{wrong}{}", gga()));
    assert_eq!(line.intake.malformed, [InputError::Checksum]);
    let wanted = number(&heard(Some("gw"), &gga()).intake.taken[0], "timestamp");
    assert_eq!(number(&line.intake.taken[0], "timestamp"), wanted);
}

#[test]
fn a_block_alone_or_in_a_datagram_of_the_ships_network_costs_nothing() {
    let line = heard(Some("gw"), &format!("{}\r\n{}", tag("c:1700000000"), gga()));
    assert_eq!(line.intake.malformed, []);
    // it counts for what stands behind it, in its line
    assert_ne!(number(&line.intake.taken[0], "timestamp"), 1_699_963_200.0);
    let mut sender = Connection::new(Nmea::new(None, Units::Datagram));
    let datagram = format!("UdPbC\0{}{}", tag("s:GN0001,n:17"), gga());
    sender.send_datagram(datagram.as_bytes());
    sender.send_datagram(format!("{}{}", sentence("PGID,boat"), gga()).as_bytes());
    sender.pass(Duration::from_secs(1));
    let idents: Vec<_> = sender.intake.taken.iter().map(Message::ident).collect();
    assert_eq!(idents, ["boat"]);
    assert_eq!(sender.intake.malformed, [InputError::Ident]);
}

#[test]
fn a_name_before_the_block_or_behind_it_is_one_still() {
    let block = tag("c:1700000000");
    for text in [
        format!("truck-7{block}{}", gga()),
        format!("{block}truck-7{}", gga()),
    ] {
        let line = heard(None, &text);
        assert_eq!(line.intake.taken[0].ident(), "truck-7", "{text}");
        assert_eq!(line.intake.malformed, []);
    }
}

/// However many bytes are lost, wherever: what is whole counts, and nobody is renamed.
#[test]
fn what_lost_bytes_leave_of_a_block_is_no_name() {
    let named = sentence("PGID,router");
    let (block, gga) = (tag("g:1-1-17,s:r17,c:1700000000"), gga());
    for from in 0..=block.len() {
        for to in from..=block.len() {
            let left = format!("{}{}", &block[..from], &block[to..]);
            let line = heard(None, &format!("{named}{left}{gga}"));
            let idents: Vec<_> = line.intake.taken.iter().map(Message::ident).collect();
            assert_eq!(idents, ["router"], "{left}");
        }
    }
}

#[test]
fn ships_are_measured_when_the_block_of_any_part_says() {
    let mut random = Random(9);
    let mut bits = Bits::new(424);
    bits.put(0, 6, 5);
    bits.put(8, 30, 200_000_017);
    bits.put(40, 30, 1 + random.below(1_000) as u64);
    let all = parts(false, &bits, 4);
    let block = |group: &str| tag(&format!("g:{group},c:1700000000"));
    for (first, last) in [
        (block("1-2-17"), tag("g:2-2-17")),
        (String::new(), tag("c:1700000000")),
    ] {
        let line = heard(None, &format!("{first}{}{last}{}", all[0], all[1]));
        assert_eq!(line.intake.malformed, []);
        assert_eq!(number(&line.intake.taken[0], "timestamp"), 1_700_000_000.0);
    }
    // the lost end of one sentence takes no other with it
    let cut = &all[0][..20];
    let line = heard(
        None,
        &format!("{cut}{}{cut}{}{}", all[0], tag("c:1700000000"), all[1]),
    );
    assert_eq!(line.intake.malformed, [InputError::Checksum; 2]);
    assert_eq!(line.intake.taken.len(), 1);
}
