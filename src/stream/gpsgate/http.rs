//! By HTTP: one message a request, in its query.

use super::Inputs;
use super::sentence;
use super::sentence::Said;
use super::tcp::hint;
use crate::net::Target;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::NetworkEndpoint;
use crate::stream::Open;
use crate::stream::TlsUse;
use crate::stream::engine::Outgoing;
use crate::stream::http::HttpLink;
use crate::stream::http::profile::Answer;
use crate::stream::http::profile::Frame;
use crate::stream::http::profile::Profile;
use crate::stream::http::profile::Verdict;
use crate::stream::render::MessageView;
use std::fmt::Write as _;

/// A server that is spoken to by HTTP.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GpsGateHttp {
    target: Target,
    tls: bool,
    /// What stands before the sentence.
    path: String,
    headers: Vec<(String, String)>,
    inputs: Inputs,
}

impl GpsGateHttp {
    pub(super) fn new(target: Target, tls: bool, path: String, inputs: Inputs) -> Self {
        // an answer of yesterday says nothing of today
        let no_cache = ("Cache-Control".to_owned(), "no-cache".to_owned());
        Self {
            target,
            tls,
            path,
            headers: vec![no_cache],
            inputs,
        }
    }
}

impl Destination for GpsGateHttp {
    fn kind(&self) -> &'static Kind {
        &super::KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "https://");
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }
}

impl Profile for GpsGateHttp {
    fn frame(&self) -> Frame {
        Frame::NOTHING
    }

    fn method(&self) -> &str {
        "GET"
    }

    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Without a checksum, as in the vendor's sample.
    fn path(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        let sentence = sentence::message(view, message, &self.inputs)?;
        out.push_str(&self.path);
        out.push('$');
        escape(&sentence, out);
        Ok(())
    }

    /// 200 alone says nothing.
    fn needs_body(&self, _status: u16) -> bool {
        true
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        match (answer.status, error(answer.body)) {
            (200..300, _) if is_taken(answer.body) => Verdict::Taken,
            (_, Some("NotSupported")) => Verdict::Configuration,
            (_, Some(_)) => Verdict::Doubted,
            (200..300, None) if !answer.is_whole => Verdict::Later(None),
            (200..300, None) => Verdict::Configuration,
            (status, None) => Verdict::usual(status),
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        match (answer.status, error(answer.body)) {
            (_, Some(code)) => Some(hint(code).to_owned()),
            (200..300, None) => Some("the answer has no `$FRRET`: look at `url`".to_owned()),
            (300..400 | 404 | 405, None) => Some("look at `url`".to_owned()),
            _ => None,
        }
    }
}

/// Lines of an answer, which may be of HTML.
fn lines(body: &[u8]) -> impl Iterator<Item = Said<'_>> {
    let lines = body.split(|byte| *byte == b'\n');
    lines.filter_map(|line| Some(Said::read(str::from_utf8(line).ok()?)))
}

fn is_taken(body: &[u8]) -> bool {
    lines(body).any(|said| matches!(said, Said::Taken(_)))
}

/// The word for what was not taken.
fn error(body: &[u8]) -> Option<&str> {
    lines(body).find_map(|said| match said {
        Said::Error(code, _) => Some(code),
        _ => None,
    })
}

/// What would end a query, or is a sign of it, as `%XX`; `,`, `=` and the like stay, as in the
/// vendor's sample.
fn escape(sentence: &str, out: &mut String) {
    for byte in sentence.bytes() {
        if byte.is_ascii_alphanumeric() || b",=.-_:;/@()!~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let written = write!(out, "%{byte:02X}");
            debug_assert!(written.is_ok(), "a string takes all that is written to it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_names_the_command_means_taken() {
        let host = "h".to_owned();
        let target = Target { host, port: 80 };
        let it = GpsGateHttp::new(target, false, "/?cmd=".to_owned(), Vec::new());
        for (status, body, is_whole, verdict, hint) in [
            (
                200,
                "$FRRET,1,_SendMessage,Inline*51\r\n",
                true,
                Verdict::Taken,
                "",
            ),
            (200, "\r\n$FRRET,1,_SendMessage", false, Verdict::Taken, ""),
            (200, "", true, Verdict::Configuration, "no `$FRRET`"),
            (200, "<html>", true, Verdict::Configuration, "no `$FRRET`"),
            (200, "$FRR", false, Verdict::Later(None), ""),
            (
                200,
                "$FRRET,1,_Ping,Inline",
                true,
                Verdict::Configuration,
                "no `$FRRET`",
            ),
            (
                200,
                "$FRERR,AuthError,who?*00",
                true,
                Verdict::Doubted,
                "register",
            ),
            (
                200,
                "$FRERR,CannotExecute,x",
                true,
                Verdict::Doubted,
                "this message",
            ),
            (
                200,
                "$FRERR,NotSupported,x",
                true,
                Verdict::Configuration,
                "_SendMessage",
            ),
            (404, "", true, Verdict::Configuration, "`url`"),
            (500, "", true, Verdict::Later(None), ""),
        ] {
            let answer = Answer {
                status,
                body: body.as_bytes(),
                is_whole,
                messages: 1,
            };
            assert_eq!(it.verdict(&answer), verdict, "{status} {body}");
            let told = it.hint(&answer).unwrap_or_default();
            assert!(told.contains(hint), "{status} {body}: {told}");
        }
    }

    #[test]
    fn what_has_a_meaning_in_a_query_is_escaped() {
        let mut out = String::new();
        escape("FRCMD,a&b%+#?,x=1 2", &mut out);
        assert_eq!(out, "FRCMD,a%26b%25%2B%23%3F,x=1%202");
    }
}
