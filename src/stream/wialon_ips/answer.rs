//! What a server of Wialon IPS answers: `#AL#1`, `#AD#1`, `#AB#17`, and what its codes mean.

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// `AL`: to a login.
    Login(&'a str),
    /// `AD`, and from some servers `ASD`: to a packet of one message.
    Record {
        /// What it says.
        code: &'a str,
        /// It is `ASD`, which has fewer codes.
        is_short: bool,
    },
    /// `AB`: to a packet of several; how many were registered.
    BlackBox(&'a str),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server has it.
    Taken,
    /// It will never take it.
    Refused,
    /// It does not take it, and whether it takes others is not said.
    Doubted,
}

impl<'a> Answer<'a> {
    /// None: it is no answer to what is sent here.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        let line = str::from_utf8(line).ok()?;
        let (kind, code) = line.strip_prefix('#')?.split_once('#')?;
        let code = code.trim();
        match kind {
            "AL" => Some(Self::Login(code)),
            "AB" => Some(Self::BlackBox(code)),
            "AD" | "ASD" => Some(Self::Record {
                code,
                is_short: kind == "ASD",
            }),
            _ => None,
        }
    }
}

/// What the code of a packet of one message means. A checksum that does not fit is that of all
/// messages, or of one that the server counts in another way: others show which.
pub(super) fn record(code: &str, is_short: bool) -> Verdict {
    match (code, is_short) {
        (TAKEN, _) => Verdict::Taken,
        ("13", true) | ("16", false) => Verdict::Doubted,
        ("-1" | "0" | "10" | "11" | "12" | "13" | "14" | "15", _) => Verdict::Refused,
        _ => Verdict::Doubted,
    }
}

/// Why a message is not taken.
pub(super) fn refusal(code: &str) -> String {
    let meaning = match code {
        "-1" => "the structure of the packet",
        "0" => "the time",
        "10" => "the coordinates",
        "11" => "speed, course or altitude",
        "12" => "satellites or hdop",
        "13" => "inputs or outputs",
        "14" => "the analogue inputs",
        "15" => "the parameters",
        "16" => "the checksum",
        _ => return format!("the server answered `{}`", shown(code)),
    };
    format!("the server refused {meaning} (`{code}`)")
}

/// Why a login is not taken, with the key to look at.
pub(super) fn login(code: &str, unit: &str) -> String {
    let why = match code {
        "0" => format!(
            "no unit `{unit}` there: register it, set its `wialon_uid`, or look at `address`"
        ),
        "01" => format!("wrong password of `{unit}`; look at `password`"),
        "10" => format!("wrong checksum of the login of `{unit}`"),
        _ => format!("the login of `{unit}`"),
    };
    format!(
        "the server refused the login: {why} (`#AL#{}`)",
        shown(code)
    )
}

/// Of what a server says so much is shown.
fn shown(code: &str) -> String {
    let plain = |c: char| !c.is_control();
    code.chars().filter(|c| plain(*c)).take(CODE_MAX).collect()
}

/// Yes.
pub(super) const TAKEN: &str = "1";

/// Characters that are shown of an unknown code.
const CODE_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let record = |code, is_short| Some(Answer::Record { code, is_short });
        for (line, answer) in [
            ("#AL#01", Some(Answer::Login("01"))),
            ("#AD#-1", record("-1", false)),
            ("#ASD#1", record("1", true)),
            ("#AB#", Some(Answer::BlackBox(""))),
            ("#AB#2", Some(Answer::BlackBox("2"))),
            ("#AP#", None),
            ("#M#stop at the next station", None),
            ("AD#1", None),
            ("", None),
        ] {
            assert_eq!(Answer::of(line.as_bytes()), answer, "{line}");
        }
        assert_eq!(Answer::of(b"#AD#\xff"), None);
    }

    #[test]
    fn each_code_has_its_meaning() {
        for (verdict, codes) in [
            (Verdict::Taken, &["1"][..]),
            (
                Verdict::Refused,
                &["-1", "0", "10", "11", "12", "13", "14", "15"],
            ),
            (Verdict::Doubted, &["16", "", "2", "x"]),
        ] {
            for code in codes {
                assert_eq!(record(code, false), verdict, "{code}");
            }
        }
        assert_eq!(
            record("13", true),
            Verdict::Doubted,
            "of `ASD` it is the checksum"
        );
        assert_eq!(record("12", true), Verdict::Refused);
    }

    #[test]
    fn a_refused_login_names_the_key() {
        for (code, words) in [
            ("0", "no unit `7` there"),
            ("01", "wrong password of `7`; look at `password` (`#AL#01`)"),
            ("10", "checksum"),
            ("5", "the login of `7` (`#AL#5`)"),
        ] {
            assert!(login(code, "7").contains(words), "{}", login(code, "7"));
        }
    }
}
