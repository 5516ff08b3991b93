//! `type = "azure-iot-hub"`: Azure IoT Hub by MQTT 3.1.1, as one device of the hub. All that a
//! message says beside its body stands encoded in the topic.
//!
//! ```text
//! devices/DEVICE/messages/events/%24.mid=…&%24.ct=…&%24.ce=utf-8&iothub-creation-time-utc=…&NAME=…
//! ```
//!
//! Source: Microsoft, "Communicate with your IoT hub using the MQTT protocol" and "Create and read
//! IoT Hub messages"; the topic is that of azure-iot-device 2.14.0.

mod inquiry;
mod keys;

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
use super::mqtt::Payload;
use super::mqtt::profile::Limits;
use super::mqtt::profile::Login;
use super::mqtt::profile::Profile;
use super::mqtt::profile::Publish;
use super::mqtt::profile::Version;
use super::render::MessageView;
use super::render::measured;
use super::sas;
use super::settings::Delivery;
use crate::clock::Date;
use crate::clock::Now;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use crate::template::write_escaped;
use std::rc::Rc;
use std::time::Duration;

/// `type = "azure-iot-hub"`.
#[derive(Clone, Debug, PartialEq)]
pub struct AzureIotHub {
    /// The hub, as the login names it, and its port.
    pub target: Target,
    /// As which device of the hub weir logs in.
    pub device: String,
    /// Its key, decoded; none: it shows a certificate.
    pub key: Option<Vec<u8>>,
    /// One object a publish, or an array of those that wait and have the same properties.
    pub payload: Payload,
    /// What the hub is told of each message beside its body, to route by.
    pub properties: Vec<(String, Template)>,
}

impl AzureIotHub {
    /// What is left out of the configuration is as here: a certificate, objects, no properties.
    #[must_use]
    pub fn new(target: Target, device: impl Into<String>) -> Self {
        Self {
            target,
            device: device.into(),
            key: None,
            payload: Payload::Object,
            properties: Vec::new(),
        }
    }

    /// What the device shows, and until when that holds.
    fn signed(&self, now: Now) -> (Option<String>, Option<Duration>) {
        let until = now.wall.since_1970 + LIFE;
        let resource = format!("{}/devices/{}", self.target.host, self.device);
        let key = self.key.as_ref();
        let token = key.map(|key| sas::token(key, &resource, None, until));
        (token, key.map(|_| until))
    }

    /// Appends where a message is published.
    fn topic(
        &self,
        view: &MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        out.push_str(&format!("devices/{}/messages/events/", self.device));
        let mut id = String::new();
        view.id(message, &mut id);
        // the hub routes by what is in a body only where both say that it is JSON
        let known = [("$.mid", &*id), ("$.ct", CONTENT_TYPE), ("$.ce", "utf-8")];
        for (at, (name, value)) in known.into_iter().enumerate() {
            property(at == 0, name, value, out);
        }
        // several have no one time
        let time = measured(message).filter(|_| self.payload == Payload::Object);
        if let Some(time) = time {
            property(false, CREATED, &Date(time).with_time(), out);
        }
        self.own_properties(view, message, out)
    }

    /// Appends those that the configuration has, behind others.
    fn own_properties(
        &self,
        view: &MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        let mut value = String::new();
        for (name, template) in &self.properties {
            value.clear();
            view.template(template, Escape::None, message, &mut value)?;
            property(false, name, &value, out);
        }
        Ok(())
    }
}

/// Appends one to the others.
fn property(is_first: bool, name: &str, value: &str, out: &mut String) {
    out.push_str(if is_first { "" } else { "&" });
    write_escaped(name, out);
    out.push('=');
    write_escaped(value, out);
}

/// Its row.
pub(crate) static KIND: Kind =
    Kind::new("azure-iot-hub", |reader| Some(Rc::new(keys::read(reader)?)));

impl Destination for AzureIotHub {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::Network(NetworkEndpoint {
            needs_certificate: self.key.is_none(),
            needs_date: self.key.is_some(),
            ..NetworkEndpoint::new(&self.target, TlsUse::Always)
        })
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(MqttLink::new(self, open))
    }

    fn in_memory_max(&self, delivery: &Delivery) -> usize {
        match self.payload {
            Payload::Object => for_window(WINDOW),
            Payload::Array => for_window(WINDOW).max(2 * delivery.max_messages),
        }
    }

    fn inquiry(&self) -> Option<Rc<dyn Destination>> {
        Some(Rc::new(inquiry::Inquiry::of(self)))
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        let templates = self.properties.iter().map(|(_, template)| template);
        templates.map(|template| ("properties", template)).collect()
    }
}

impl Profile for AzureIotHub {
    fn limits(&self) -> Limits {
        Limits {
            version: Version::V311,
            window: WINDOW,
            packet_max: Some(PACKET_MAX),
            keep_alive: KEEP_ALIVE,
            retain: false,
        }
    }

    fn login(&self, _: &str, now: Now) -> Login {
        let (hub, device) = (&self.target.host, &self.device);
        let (password, until) = self.signed(now);
        Login {
            user: Some(format!("{hub}/{device}/?api-version={API_VERSION}")),
            password,
            until,
            ..Login::anonymous(device)
        }
    }

    fn hint(&self) -> Option<String> {
        let credential = match self.key {
            Some(_) => "`key`, and the clock of this machine",
            None => "`tls.certificate`",
        };
        Some(format!(
            "look at `host`, `device` and {credential}; a device that is disabled, and a hub whose \
             quota of the day is spent, say no in the same way"
        ))
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        self.topic(view, message, &mut publish.topic)?;
        if self.payload == Payload::Array {
            publish.payload.push(b'[');
        }
        let written = view.object(message, &mut publish.payload);
        written.map_err(|error| error.to_string())
    }

    fn messages_max(&self) -> usize {
        match self.payload {
            Payload::Object => 1,
            Payload::Array => usize::MAX,
        }
    }

    fn key(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        self.own_properties(view, message, out)
    }

    fn append(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        publish.payload.push(b',');
        let written = view.object(message, &mut publish.payload);
        written.map_err(|error| error.to_string())
    }

    fn close(&self, publish: &mut Publish) {
        publish.payload.push(b']');
    }
}

/// Of the hub's way to speak MQTT.
const API_VERSION: &str = "2021-04-12";

/// Without the charset no route can look into a body.
const CONTENT_TYPE: &str = "application/json;charset=utf-8";

/// When a message was measured, as the hub and those behind it know it.
const CREATED: &str = "iothub-creation-time-utc";

/// How long a token holds: each new one costs a connection, of some 6 kB.
const LIFE: Duration = Duration::from_hours(24);

/// Publishes without an acknowledgement: the hub names no limit.
const WINDOW: u16 = 100;

/// Bytes of a message with its properties: over that the hub ends the connection.
const PACKET_MAX: usize = 256 * 1024;

/// As Microsoft's own; the hub allows up to 1,177 s.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
