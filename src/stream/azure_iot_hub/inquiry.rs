//! What a hub says by HTTPS. By MQTT it has no word for no; here its answer has a number. The
//! device asks for what was sent to it, which takes nothing and costs no message.
//!
//! Source: Microsoft, "IoT Hub REST: Device, receive device bound notification" and "Common error
//! codes".

use super::API_VERSION;
use super::AzureIotHub;
use super::KIND;
use crate::clock::Now;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::Open;
use crate::stream::engine::Outgoing;
use crate::stream::http::HttpLink;
use crate::stream::http::profile::Answer;
use crate::stream::http::profile::Frame;
use crate::stream::http::profile::Login;
use crate::stream::http::profile::Profile;
use crate::stream::http::profile::Verdict;
use crate::stream::render::MessageView;
use crate::template::write_escaped;

/// The same device at the door for HTTPS.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Inquiry(AzureIotHub);

impl Inquiry {
    /// Of this device.
    pub(super) fn of(hub: &AzureIotHub) -> Self {
        let mut hub = hub.clone();
        hub.target.port = 443;
        Self(hub)
    }
}

impl Destination for Inquiry {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        self.0.endpoint()
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }
}

impl Profile for Inquiry {
    fn frame(&self) -> Frame {
        Frame::NOTHING
    }

    fn method(&self) -> &str {
        "GET"
    }

    fn path(
        &self,
        _: &mut MessageView<'_>,
        _: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        out.push_str("/devices/");
        write_escaped(&self.0.device, out);
        out.push_str("/messages/devicebound?api-version=");
        out.push_str(API_VERSION);
        Ok(())
    }

    fn authorize(&self, now: Now) -> Login {
        let (authorization, until) = self.0.signed(now);
        Login {
            authorization,
            until,
        }
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        match answer.status {
            200..300 => Verdict::Taken,
            _ => Verdict::Configuration,
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let text = String::from_utf8_lossy(answer.body);
        let hint = match answer.status {
            401 if self.0.key.is_some() => "look at `key`, and at the clock of this machine",
            401 => "look at `tls.certificate`",
            403 if text.contains("403002") || text.contains("Quota") => {
                "the quota of the day is spent: nothing is taken until 00:00 UTC"
            }
            404 => "look at `device`: there is none of this name, or it is disabled",
            429 => "the hub is asked too much at once, and throttles",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Target;

    #[test]
    fn each_of_the_silent_errors_has_its_name() {
        let host = "h".to_owned();
        let mut hub = AzureIotHub::new(Target { host, port: 8883 }, "d");
        hub.key = Some(vec![1]);
        let inquiry = Inquiry::of(&hub);
        let network = inquiry.endpoint();
        assert_eq!(network.network().unwrap().target.port, 443);
        for (status, body, wanted) in [
            (
                401,
                "ErrorCode:IotHubUnauthorizedAccess",
                "`key`, and at the clock",
            ),
            (
                403,
                "ErrorCode:IotHubQuotaExceeded;403002",
                "quota of the day",
            ),
            (404, "ErrorCode:DeviceNotFound;404001", "`device`"),
            (429, "ErrorCode:ThrottlingException;429001", "throttles"),
        ] {
            let answer = Answer {
                status,
                body: body.as_bytes(),
                is_whole: true,
                messages: 1,
            };
            assert_eq!(inquiry.verdict(&answer), Verdict::Configuration);
            let hint = inquiry.hint(&answer).unwrap();
            assert!(hint.contains(wanted), "{status}: {hint}");
        }
    }
}
