//! ThingsBoard by HTTP: one device, whose token stands in the path.

use super::KIND;
use super::write_timed;
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

/// `type = "thingsboard"` by HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct ThingsBoardHttp {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `https`.
    pub tls: bool,
    /// What stands before `/api`, of a proxy.
    pub prefix: String,
    /// The access token of the device.
    pub token: String,
}

impl Destination for ThingsBoardHttp {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "https://");
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }
}

impl Profile for ThingsBoardHttp {
    fn frame(&self) -> Frame {
        Frame::JSON_ARRAY
    }

    fn path(
        &self,
        _view: &mut MessageView<'_>,
        _message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        for part in [&self.prefix, "/api/v1/", &self.token, "/telemetry"] {
            out.push_str(part);
        }
        Ok(())
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        write_timed(view, message, out).map(|_| ())
    }

    fn secrets(&self) -> Vec<String> {
        vec![self.token.clone()]
    }

    /// A rate that is exceeded and a body that cannot be read are 500 both: only the words tell.
    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        match answer.status {
            500 if names_json(answer.body) => Verdict::Refused,
            status => Verdict::usual(status),
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        matches!(answer.status, 401 | 404).then(|| "look at `token`".to_owned())
    }
}

/// Whether an answer speaks of JSON.
fn names_json(body: &[u8]) -> bool {
    body.windows(4)
        .any(|part| part.eq_ignore_ascii_case(b"json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_500_only_the_words_tell_what_it_means() {
        let device = ThingsBoardHttp {
            target: Target {
                host: "h".to_owned(),
                port: 80,
            },
            tls: false,
            prefix: String::new(),
            token: "A1_TEST_TOKEN".to_owned(),
        };
        for (status, body, meaning) in [
            (200, "", Verdict::Taken),
            (400, "", Verdict::Refused),
            (401, "", Verdict::Configuration),
            (404, "", Verdict::Configuration),
            (429, "", Verdict::Later(None)),
            (500, "", Verdict::Later(None)),
            (
                500,
                "{\"message\":\"Too many requests\"}",
                Verdict::Later(None),
            ),
            (
                500,
                "Can't parse value: not a Json Object",
                Verdict::Refused,
            ),
            (503, "json", Verdict::Later(None)),
        ] {
            let answer = Answer {
                status,
                body: body.as_bytes(),
                is_whole: true,
                messages: 1,
            };
            assert_eq!(device.verdict(&answer), meaning, "{status} {body}");
            assert_eq!(device.hint(&answer).is_some(), matches!(status, 401 | 404));
        }
    }
}
