//! `type = "thingsboard"`: ThingsBoard as a gateway for many devices or as one device, by MQTT 5;
//! as one device by HTTP as well.
//!
//! ```text
//! v1/gateway/connect       {"device":"NAME","type":"PROFILE"}        where `profile` is set
//! v1/gateway/telemetry     {"NAME":[{"ts":MILLISECONDS,"values":{…}},…]}   one device a publish
//! v1/devices/me/telemetry  [{"ts":MILLISECONDS,"values":{…}},…]
//! ```
//! Only MQTT 5 tells what it does not take: what is over a rate or a limit of the tenant is
//! acknowledged in 3.1.1 as well. A publish of one device has one acknowledgement, that of several
//! had one for each.
//!
//! Source: ThingsBoard's documents of its MQTT and HTTP device API and of its MQTT gateway API;
//! what it answers is as its transport of version 4 has it. The bytes are those of tb-mqtt-client
//! 1.13.14.

mod http;
mod keys;

pub use http::ThingsBoardHttp;

use super::Destination;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Outgoing;
use super::for_window;
use super::mqtt::MqttLink;
use super::mqtt::profile::Allowance;
use super::mqtt::profile::Granted;
use super::mqtt::profile::Limit;
use super::mqtt::profile::Limits;
use super::mqtt::profile::Login;
use super::mqtt::profile::Profile;
use super::mqtt::profile::Publish;
use super::mqtt::profile::Question;
use super::mqtt::profile::Rates;
use super::mqtt::profile::Verdict;
use super::mqtt::profile::Version;
use super::render;
use super::render::MessageView;
use super::settings::Delivery;
use crate::clock::Now;
use crate::message::ENVELOPE;
use crate::message::ValueRef;
use crate::message::json;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use serde::Deserialize;
use std::time::Duration;

/// `type = "thingsboard"` by MQTT.
#[derive(Clone, Debug, PartialEq)]
pub struct ThingsBoard {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `mqtts`.
    pub tls: bool,
    /// The access token of a device of ThingsBoard.
    pub token: String,
    /// What that device is.
    pub mode: Mode,
}

/// Whom ThingsBoard takes weir for.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// A gateway: each message is of a device of its own.
    Gateway {
        /// What that is called; none: as the configuration names it, or its ident.
        device: Option<Template>,
        /// The profile of devices that are not there yet; none: ThingsBoard's default.
        profile: Option<String>,
    },
    /// One device, of which all messages are.
    Device,
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("thingsboard", keys::read);

impl Destination for ThingsBoard {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let tls = TlsUse::by_scheme(self.tls, "mqtts://");
        Endpoint::Network(NetworkEndpoint::new(&self.target, tls))
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(MqttLink::new(self, open))
    }

    fn in_memory_max(&self, delivery: &Delivery) -> usize {
        for_window(WINDOW).max(2 * delivery.max_messages)
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        match &self.mode {
            Mode::Gateway {
                device: Some(device),
                ..
            } => vec![("device", device)],
            _ => Vec::new(),
        }
    }
}

impl Profile for ThingsBoard {
    fn limits(&self) -> Limits {
        Limits {
            version: Version::V5,
            window: WINDOW,
            packet_max: Some(PACKET_MAX),
            keep_alive: Duration::from_secs(60),
            retain: false,
        }
    }

    fn login(&self, client_id: &str, _now: Now) -> Login {
        Login {
            user: Some(self.token.clone()),
            ..Login::anonymous(client_id)
        }
    }

    fn hint(&self) -> Option<String> {
        Some("look at `token`".to_owned())
    }

    fn question(&self) -> Option<Question> {
        Some(Question {
            subscribe: "v1/devices/me/rpc/response/+".into(),
            topic: "v1/devices/me/rpc/request/1".into(),
            payload: br#"{"method":"getSessionLimits","params":{}}"#.to_vec(),
        })
    }

    fn granted(&self, topic: &str, payload: &[u8]) -> Option<Result<Granted, String>> {
        (topic == "v1/devices/me/rpc/response/1").then(|| self.grant(payload))
    }

    fn unanswered(&self) -> Option<Granted> {
        Some(Granted::default())
    }

    fn announce(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> bool {
        let Mode::Gateway {
            profile: Some(profile),
            ..
        } = &self.mode
        else {
            return false;
        };
        let mut name = String::new();
        if self.name(view, message, &mut name).is_err() {
            return false;
        }
        publish.topic.push_str("v1/gateway/connect");
        let fields = [("device", &name), ("type", profile)];
        let fields = fields.map(|(key, text)| (key, ValueRef::Text(text)));
        json::write(fields.into_iter(), &mut publish.payload);
        true
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        if let Mode::Gateway { .. } = self.mode {
            let mut name = String::new();
            self.name(view, message, &mut name)?;
            publish.topic.push_str("v1/gateway/telemetry");
            let name = serde_json::to_string(&name).map_err(|error| error.to_string())?;
            publish
                .payload
                .extend_from_slice(format!("{{{name}:").as_bytes());
        } else {
            publish.topic.push_str("v1/devices/me/telemetry");
        }
        publish.payload.push(b'[');
        publish.points += write_timed(view, message, &mut publish.payload)?;
        Ok(())
    }

    fn messages_max(&self) -> usize {
        usize::MAX
    }

    fn key(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        match self.mode {
            Mode::Gateway { .. } => self.name(view, message, out),
            Mode::Device => Ok(()),
        }
    }

    fn append(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        publish.payload.push(b',');
        publish.points += write_timed(view, message, &mut publish.payload)?;
        Ok(())
    }

    fn close(&self, publish: &mut Publish) {
        publish.payload.extend_from_slice(match self.mode {
            Mode::Gateway { .. } => b"]}",
            Mode::Device => b"]",
        });
    }

    fn silence(&self) -> Option<&'static str> {
        matches!(self.mode, Mode::Gateway { .. }).then_some(NO_GATEWAY)
    }

    /// 0x80 and 0x83 are said of trouble behind the transport: a queue, a database.
    fn verdict(&self, code: u8) -> Verdict {
        match code {
            0x80 | 0x83 | 0x97 => Verdict::Later,
            0x99 => Verdict::Refused,
            0x00 => Verdict::Taken,
            _ => Verdict::Doubted,
        }
    }
}

impl ThingsBoard {
    /// Appends what the device of a message is called.
    fn name(
        &self,
        view: &MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        let Mode::Gateway { device, .. } = &self.mode else {
            return Ok(());
        };
        if let Some(device) = device {
            return view.template(device, Escape::None, message, out);
        }
        let names = ["device.name", "ident"].into_iter();
        let mut texts = names.filter_map(|name| match render::find(message, name) {
            Some(ValueRef::Text(text)) => Some(text),
            _ => None,
        });
        out.push_str(texts.next().ok_or("the message is of nobody")?);
        Ok(())
    }

    /// What the answer to the question allows. One that cannot be read says nothing.
    fn grant(&self, payload: &[u8]) -> Result<Granted, String> {
        let Ok(limits) = serde_json::from_slice::<SessionLimits>(payload) else {
            return Ok(Granted::default());
        };
        let is_told = limits.max_payload_size.is_some();
        let whole = match self.mode {
            Mode::Gateway { .. } if is_told && limits.gateway_rate_limits.is_none() => {
                return Err(NO_GATEWAY.to_owned());
            }
            Mode::Gateway { .. } => limits.gateway_rate_limits,
            Mode::Device => None,
        };
        let max = |max: Option<u64>| max.filter(|max| *max > 0);
        let window = max(limits.max_inflight_messages);
        let packet = max(limits.max_payload_size);
        Ok(Granted {
            window: window.map(|max| u16::try_from(max).unwrap_or(u16::MAX)),
            packet_max: packet.map(|max| usize::try_from(max).unwrap_or(usize::MAX)),
            rates: Rates {
                whole: whole.unwrap_or_default().allowance(),
                each: limits.rate_limits.unwrap_or_default().allowance(),
            },
        })
    }
}

/// The answer to the question. A gateway is told its own rates, and those of each device behind it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionLimits {
    max_payload_size: Option<u64>,
    max_inflight_messages: Option<u64>,
    gateway_rate_limits: Option<RateLimits>,
    rate_limits: Option<RateLimits>,
}

/// `COUNT:SECONDS,…` each; none or empty: without limit.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateLimits {
    messages: Option<String>,
    telemetry_messages: Option<String>,
    telemetry_data_points: Option<String>,
}

impl RateLimits {
    fn allowance(&self) -> Allowance {
        let list = |text: &Option<String>| Limit::list(text.as_deref().unwrap_or_default());
        let publishes = [list(&self.messages), list(&self.telemetry_messages)];
        Allowance {
            publishes: publishes.concat(),
            points: list(&self.telemetry_data_points),
        }
    }
}

/// Appends `{"ts":…,"values":{…}}`; how many values that are.
///
/// # Errors
/// Where nothing is left to tell.
fn write_timed(
    view: &mut MessageView<'_>,
    message: &Outgoing<'_>,
    out: &mut Vec<u8>,
) -> Result<u32, String> {
    // where nobody knows the date `timestamp.valid` says so
    let measured = render::measured(message).unwrap_or(message.received.since_1970);
    let told = view.fields_without(message, &ENVELOPE);
    let told = told.iter().filter(|(_, value)| *value != ValueRef::Null);
    let count = told.clone().count();
    if count == 0 {
        return Err("it has no parameter to tell".to_owned());
    }
    let millis = (measured.as_micros() + 500) / 1000;
    out.extend_from_slice(format!("{{\"ts\":{millis},\"values\":").as_bytes());
    json::write(told, out);
    out.push(b'}');
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// What is said where a gateway is none: it is not answered there.
const NO_GATEWAY: &str = "ThingsBoard takes nothing for other devices from a device that is not \
                          marked as a gateway in its details: mark it, or write \
                          `mode = \"device\"`";

/// Publishes without an acknowledgement at most: more than these before a session is ready end it.
const WINDOW: u16 = 100;

/// Bytes of a publish at most, where it is not told.
const PACKET_MAX: usize = 65_536;
