//! Who a sender is: what it may call itself, and what lost bytes must not call it.

use crate::sentence;
use crate::support::channel::Connection;
use std::time::Duration;
use weir::channel::InputError;
use weir::channel::Session;
use weir::channel::nmea::Nmea;
use weir::channel::nmea::Units;
use weir::message::Message;

/// One that arrives on a channel without `ident`, unless it is said.
fn heard(ident: Option<&str>, text: &str) -> Connection<Nmea> {
    let mut line = Connection::new(Nmea::new(ident.map(str::to_owned), Units::Bytes));
    line.send(text.as_bytes());
    line.pass(Duration::from_secs(1));
    line
}

fn idents(line: &Connection<Nmea>) -> Vec<&str> {
    line.intake.taken.iter().map(Message::ident).collect()
}

fn rmc(second: u64) -> String {
    sentence(&format!(
        "GPRMC,1200{second:02},A,0100.0,N,00200.0,E,1,1,010126,,"
    ))
}

#[test]
fn a_name_stands_before_the_dollar_or_on_the_first_line() {
    let rmc = rmc(0);
    for named in ["354868050655283", "354868050655283,", "truck-7 "] {
        let line = heard(None, &format!("{named}{rmc}"));
        assert_eq!(idents(&line), [named.trim_end_matches([',', ' '])]);
    }
    assert_eq!(
        idents(&heard(None, &format!("truck-7\r\n{rmc}"))),
        ["truck-7"]
    );
    let nameless = heard(None, &rmc);
    assert_eq!(nameless.intake.malformed, [InputError::Ident]);
}

#[test]
fn routers_name_themselves_in_sentences_and_lines_of_their_own() {
    let rmc = rmc(0);
    let all = [
        (
            sentence("PCPTI,CradlePoint Test,184453,184453.0"),
            "CradlePoint Test",
        ),
        (sentence("PGID,359853000144328"), "359853000144328"),
        (sentence("DEVID,truck-7"), "truck-7"),
        (sentence("GPFID,ID123456ABC"), "ID123456ABC"),
        (sentence("IMEI=354868050655283"), "354868050655283"),
        ("$IMEI=354868050655283\r\n".to_owned(), "354868050655283"),
        ("IMEI 351467108700000\r\n".to_owned(), "351467108700000"),
        ("IMEI=351467108700000".to_owned(), "351467108700000"),
    ];
    for (named, name) in &all {
        for ahead in ["", "first$GPTXT,01*00\r\n"] {
            let glued = named.starts_with("IMEI") && !named.ends_with('\n');
            let named = if glued {
                format!("{named}\r\n")
            } else {
                named.clone()
            };
            let line = heard(None, &format!("{ahead}{named}{rmc}"));
            assert_eq!(idents(&line), [*name], "{named}");
        }
    }
    // what is named is what follows, and an epoch belongs to who sent it
    let text = format!("{}{rmc}{}{rmc}", all[1].0, all[2].0);
    assert_eq!(idents(&heard(None, &text)), ["359853000144328", "truck-7"]);
    // a number that is no IMEI, and a name that is no ident, name nobody
    for broken in [
        "$IMEI=3548680506\r\n",
        "IMEI 35 46\r\n",
        &sentence("PCPTI,a/b,1"),
    ] {
        let line = heard(None, &format!("{}{broken}{rmc}", sentence("PGID,router")));
        assert_eq!(idents(&line), ["router"], "{broken}");
        assert_eq!(line.intake.malformed.len(), 1, "{broken}");
    }
}

#[test]
fn where_there_is_an_ident_nothing_else_counts_and_no_prefix_costs_a_sentence() {
    let rmc = rmc(0);
    let named = [
        "354868050655283",
        "truck-7\r\n",
        "a/b#",
        "IMEI 351467108700000\r\n",
        "GPGSV,3,3,09,15,30,050,47",
        "$IMEI=354868050655283\r\n",
        "\u{7f}\0",
        &sentence("PCPTI,router,1"),
    ];
    for named in named {
        let line = heard(Some("gw"), &format!("{named}{rmc}"));
        assert_eq!(idents(&line), ["gw"], "{named:?}");
        assert_eq!(line.intake.malformed, [], "{named:?}");
    }
    // bytes that are no text
    let mut line = heard(Some("gw"), "");
    line.send(b"\xff\xfe\x80");
    line.send(rmc.as_bytes());
    line.pass(Duration::from_secs(1));
    assert_eq!(idents(&line), ["gw"]);
}

/// What the field had: the rest of the day belonged to the rest of a sentence.
#[test]
fn what_lost_bytes_leave_before_the_dollar_is_no_name() {
    for left in [
        "GPGSV,3,3,09,15,30,050,47*41",
        "3,3,09,15,30,050,47*41",
        "*41",
        "41",
        "1",
        "GPGSV",
        "3747.0873",
    ] {
        let text = format!("{}{}{left}{}", sentence("PGID,router"), rmc(0), rmc(1));
        let line = heard(None, &text);
        assert_eq!(idents(&line), ["router", "router"], "{left}");
        let counted = usize::from(left.contains('*'));
        assert_eq!(line.intake.malformed.len(), counted, "{left}");
    }
}

/// A connection begins where it begins: in the middle of a sentence, as a rule.
#[test]
fn the_end_of_a_sentence_on_the_first_line_is_no_name() {
    let rmc = rmc(0);
    for cut in 1..rmc.len() {
        let line = heard(None, &format!("{}{rmc}", &rmc[cut..]));
        assert_eq!(line.intake.malformed, [InputError::Ident], "{cut}");
        let line = heard(Some("gw"), &format!("{}{rmc}", &rmc[cut..]));
        assert_eq!(line.intake.malformed, [], "{cut}");
        assert_eq!(idents(&line), ["gw"], "{cut}");
    }
}

#[test]
fn a_serial_line_has_no_first_line() {
    let rmc = rmc(0);
    for (ident, counted) in [
        (Some("gw"), vec![InputError::Syntax]),
        (None, vec![InputError::Syntax, InputError::Ident]),
    ] {
        let mut nmea = Nmea::new(ident.map(str::to_owned), Units::Bytes);
        nmea.resync();
        let mut line = Connection::new(nmea);
        line.send(format!("RDY\r\n{rmc}RDY\r\n").as_bytes());
        line.pass(Duration::from_secs(1));
        assert_eq!(line.intake.malformed, counted);
    }
}

/// However many bytes are lost at once, wherever: each sentence that is whole counts, and all of it
/// belongs to who sent it.
#[test]
fn a_gap_costs_what_it_hits_and_renames_nobody() {
    let all = [0, 1, 2].map(rmc);
    let text = all.concat();
    let mut ends = 0;
    let spans = all.each_ref().map(|one| {
        let from = ends;
        ends += one.len();
        from..from + one.trim_end().len()
    });
    for from in 0..text.len() {
        for to in from + 1..=text.len().min(from + 70) {
            let rest = format!("{}{}", &text[..from], &text[to..]);
            for ident in [Some("router"), None] {
                let (named, end) = (sentence("PGID,router"), sentence("GPGSV,1,1,00"));
                let line = heard(ident, &format!("{named}{rest}{end}"));
                let times = line.intake.taken.iter().map(|message| {
                    assert_eq!(message.ident(), "router", "{rest}");
                    crate::number(message, "timestamp") as u64 % 60
                });
                let times: Vec<_> = times.collect();
                for (second, span) in (0..).zip(&spans) {
                    let is_whole = to <= span.start || span.end <= from;
                    assert!(!is_whole || times.contains(&second), "{second}: {rest}");
                }
            }
        }
    }
}
