//! Files that are right, and what is wrong with others.

use super::*;

const HEAD: &str =
    "VERSION \"a;\"\nNS_ :\n\tCM_\n\n\tBO_\nBS_:\nBU_: A B\nVAL_TABLE_ T 0 \";\" ;\n";

fn all(text: &str) -> Result<Dbc, DbcError> {
    read(text.as_bytes(), &|_| true)
}

fn bits(start: u16, length: u8, order: Order) -> Bits {
    Bits::new(start, length, order).unwrap()
}

#[test]
fn a_file_says_where_its_signals_are() {
    let text = format!(
        "{HEAD}BO_ 2364540158 EEC1: 8 A\n \
         SG_ Speed : 24|16@1+ (0.125,-1.5e1) [0|0] \"rpm\" A,\n  B\n \
         SG_ Tilt:55|12@0- ( 1 , 0 ) [0|0] \"#\" A\n\n\
         BO_ 513 B: 8 A\n SG_ Level : 0|32@1+ (1,0) \
         [0|0] \"\" A\nBO_ 3221225472 U: 0 A\n SG_ Lost : 0|8@1+ (1,0) [0|0] \"\" A\n\
         CM_ SG_ 513 Level \"a \"\"b\"\";\nBO_ 7 X: 8 A\n\";\nBA_DEF_ BO_ \"x\" INT 0 1;\n\
         SIG_VALTYPE_ 513 Level : 1;\nSIG_VALTYPE_ 513 Tilt : 0;\nFILTER 1;\n;\n"
    );
    // of an encoding that is not UTF-8
    let text = text
        .replace('#', "\u{b0}")
        .chars()
        .map(|c| u8::try_from(c).unwrap())
        .collect::<Vec<_>>();
    let dbc = read(&text, &|_| true).unwrap();
    assert_eq!((&*dbc.refused, dbc.is_j1939), (&[][..], false));
    let [speed, tilt, level] = &dbc.signals[..] else {
        panic!("{dbc:?}")
    };
    assert_eq!(speed.id, Id::Extended(0x0CF0_04FE));
    assert_eq!(speed.bits, bits(24, 16, Order::LowFirst));
    assert_eq!(
        (speed.factor, speed.offset, speed.form),
        (0.125, -15.0, Form::Unsigned)
    );
    assert_eq!(
        (tilt.bits, tilt.form),
        (bits(55, 12, Order::HighFirst), Form::Signed)
    );
    assert_eq!((level.id, level.form), (Id::Standard(513), Form::Float));
    assert_eq!(
        read(&text, &|name| name == "Tilt").unwrap().signals,
        std::slice::from_ref(tilt)
    );
}

#[test]
fn signals_of_one_place_wait_for_their_number() {
    let text = "BO_ 1 A: 8 A\n SG_ X m3 : 8|8@1+ (1,0) [0|0] \"\" A\n \
                SG_ M M : 0|4@1+ (1,0) [0|0] \"\" A\n";
    let dbc = all(text).unwrap();
    assert_eq!(dbc.signals[0].when, Some((bits(0, 4, Order::LowFirst), 3)));
    assert_eq!(dbc.signals[1].when, None);
    for (deep, reason) in [
        (
            text.replace(
                "SG_ M M :",
                "SG_ M M : 4|4@1+ (1,0) [0|0] \"\" A\n SG_ N m1M :",
            ),
            DEEP,
        ),
        (
            text.replace(
                "SG_ M M :",
                "SG_ M M : 4|4@1+ (1,0) [0|0] \"\" A\n SG_ N M :",
            ),
            DEEP,
        ),
        (text.replace(" M M ", " M "), UNDECIDED),
    ] {
        let dbc = all(&deep).unwrap();
        let refused = &dbc.refused[0];
        assert_eq!(
            (refused.line, &*refused.name, refused.reason),
            (2, "X", reason)
        );
        assert!(dbc.signals.iter().all(|signal| signal.name != "X"));
    }
}

#[test]
fn the_protocol_is_what_is_said_last() {
    for (text, is_j1939) in [
        ("", false),
        ("BA_DEF_DEF_ \"ProtocolType\" \"J1939\";", true),
        (
            "BA_ \"ProtocolType\" \"CAN\";BA_DEF_DEF_ \"ProtocolType\" \"J1939\";",
            false,
        ),
        (
            "BA_DEF_DEF_ \"ProtocolType\" \"CAN\";BA_ \"ProtocolType\" \"J1939\";",
            true,
        ),
        ("BA_ \"Other\" \"J1939\";", false),
    ] {
        let dbc = all(&format!("BO_ 1 A: 8 A\n{text}")).unwrap();
        assert_eq!(dbc.is_j1939, is_j1939, "{text}");
    }
}

#[test]
fn what_is_wrong_has_its_line() {
    let signal = |rest: &str| format!("BO_ 1 A: 8 A\n SG_ X {rest}\n");
    for (text, line, part) in [
        ("".to_owned(), 1, "no message"),
        (
            " SG_ A : 0|8@1+ (1,0) [0|0] \"\" E".to_owned(),
            1,
            "outside",
        ),
        ("\n<html>".to_owned(), 2, "not a statement"),
        ("BO_ x A: 8 A".to_owned(), 1, "id of the message"),
        ("BO_ 2048 A: 8 A".to_owned(), 1, "too many bits"),
        ("BO_ 1 : 8 A".to_owned(), 1, "name of the message"),
        ("BO_ 1 A 8 A".to_owned(), 1, "`:` is missing"),
        ("BO_ 1 A: x".to_owned(), 1, "length of the message"),
        ("BO_ 1 A: 8 A\nCM_ \"a\n\nb".to_owned(), 2, "no end"),
        ("BO_ 1 A: 8 A\nCM_ x\n\n".to_owned(), 2, "no end"),
        (signal(": 64|8@1+ (1,0)"), 2, "beyond"),
        (
            signal(": 505|8@1+ (1,0)").replace(": 8 A", ": 64 A"),
            2,
            "beyond",
        ),
        (signal(": 0|0@1+ (1,0)"), 2, "beyond"),
        (signal(": -1|8@1+ (1,0)"), 2, "start"),
        (signal(": 0 8@1+ (1,0)"), 2, "`|`"),
        (signal(": 0|x@1+ (1,0)"), 2, "length"),
        (signal(": 0|8 1+ (1,0)"), 2, "`@`"),
        (signal(": 0|8@2+ (1,0)"), 2, "order"),
        (signal(": 0|8@1 (1,0)"), 2, "`+`"),
        (signal(": 0|8@1+ 1,0)"), 2, "`(`"),
        (signal(": 0|8@1+ (0,0)"), 2, "factor of 0"),
        (signal(": 0|8@1+ (1 0)"), 2, "`,`"),
        (signal(": 0|8@1+ (1,x)"), 2, "offset"),
        (signal(": 0|8@1+ (1,0"), 3, "`)`"),
        (signal("x3 : 0|8@1+ (1,0)"), 2, "neither `:`"),
        (signal("mM : 0|8@1+ (1,0)"), 2, "neither `:`"),
        (
            signal(": 0|8@1+ (1,0)") + "SIG_VALTYPE_ 1 X : 1;",
            3,
            "32 bits",
        ),
        (
            signal(": 0|8@1+ (1,0)") + "SIG_VALTYPE_ 1 X : 3;",
            3,
            "kind",
        ),
    ] {
        let error = all(&text).unwrap_err();
        assert!(
            error.line == line && error.text.contains(part),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn messages_of_several_frames_have_only_their_head_read() {
    let text = "BO_ 2566834174 A: 1785 A\n SG_ X : 0|8@1+ (1,0) [0|0] \"\" A\n \
                SG_ Y : 800|8@1+ (1,0) [0|0] \"\" A\n";
    let dbc = all(text).unwrap();
    assert_eq!(dbc.signals.len(), 1);
    assert_eq!((dbc.refused[0].line, dbc.refused[0].reason), (3, BEYOND));
    let none = read(text.as_bytes(), &|_| false).unwrap();
    assert!(none.signals.is_empty() && none.refused.is_empty());
}

#[test]
fn files_have_bounds() {
    let signal = " SG_ X : 0|8@1+ (1,0) [0|0] \"\" A\n";
    let text = |count| format!("BO_ 1 A: 8 A\n{}", signal.repeat(count));
    assert_eq!(all(&text(SIGNALS_MAX)).unwrap().signals.len(), SIGNALS_MAX);
    assert_eq!(all(&text(SIGNALS_MAX + 1)).unwrap_err().line, 20_002);
    let long = vec![b' '; FILE_MAX + 1];
    assert!(read(&long, &|_| true).is_err());
}
