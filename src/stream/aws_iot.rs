//! `type = "aws-iot"`: AWS IoT Core, by MQTT 5 with a client certificate; an object a publish.
//!
//! Limits are those of its documents ("AWS IoT Core endpoints and quotas"). What is over them ends
//! the connection there, so it is never sent; a publish over the rate just gets no answer.

use super::Defaults;
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
use super::mqtt::profile::Limits;
use super::mqtt::profile::Login;
use super::mqtt::profile::Profile;
use super::mqtt::profile::Publish;
use super::mqtt::profile::Version;
use super::mqtt::profile::spared_hint;
use super::mqtt::topic;
use super::render::MessageView;
use super::settings::Delivery;
use crate::clock::Now;
use crate::keys::address;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::reader::Reader;
use crate::keys::text::mqtt_text;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use std::rc::Rc;
use std::time::Duration;

/// `type = "aws-iot"`.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsIot {
    /// `endpoint` and `port`.
    pub target: Target,
    /// The client id.
    pub thing: String,
    /// Where a message is published.
    pub topic: Template,
    /// Whether the client id is left to a daemon that runs.
    pub is_try: bool,
}

/// Its row.
pub(crate) static KIND: Kind = Kind {
    defaults: Defaults {
        rate: Some(100.0),
        retry_min: Duration::from_secs(10),
        ..Defaults::COMMON
    },
    ..Kind::new("aws-iot", |reader| Some(Rc::new(read(reader)?)))
};

impl Destination for AwsIot {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        let alpn: &[_] = match self.target.port {
            SHARED_PORT => &["x-amzn-mqtt-ca"],
            _ => &[],
        };
        Endpoint::Network(NetworkEndpoint {
            alpn,
            needs_certificate: true,
            ..NetworkEndpoint::new(&self.target, TlsUse::Always)
        })
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(MqttLink::new(self, open))
    }

    fn in_memory_max(&self, _delivery: &Delivery) -> usize {
        for_window(WINDOW)
    }

    /// The second client of a name ends the connection of the first.
    fn for_check(&self) -> Option<Rc<dyn Destination>> {
        let is_try = true;
        Some(Rc::new(Self {
            is_try,
            ..self.clone()
        }))
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        vec![("topic", &self.topic)]
    }
}

impl Profile for AwsIot {
    fn limits(&self) -> Limits {
        Limits {
            version: Version::V5,
            window: WINDOW,
            packet_max: Some(128 << 10),
            keep_alive: Duration::from_secs(60),
            retain: false,
        }
    }

    fn login(&self, client_id: &str, _now: Now) -> Login {
        match self.is_try {
            true => Login::anonymous(format!("{}-{client_id}", self.thing)),
            false => Login::anonymous(&self.thing),
        }
    }

    fn hint(&self) -> Option<String> {
        let thing = &self.thing;
        let keys = format!(
            "look at `tls.certificate`, which has to be active and attached to a policy that \
             allows iot:Connect for the client `{thing}` (`thing`)"
        );
        Some(match self.is_try {
            true => format!("{keys}; {}", spared_hint(thing)),
            false => keys,
        })
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        publish: &mut Publish,
    ) -> Result<(), String> {
        view.template(&self.topic, Escape::None, message, &mut publish.topic)?;
        publish.content_type = Some("application/json");
        let written = view.object(message, &mut publish.payload);
        written.map_err(|error| error.to_string())
    }

    fn check(&self, publish: &Publish) -> Result<(), String> {
        check(&publish.topic)
    }

    fn silence(&self) -> Option<&'static str> {
        Some(
            "AWS IoT does not answer what is over its limits (100 publishes and 512 KB a second of \
             a connection, and those of the account): look at `rate`",
        )
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<AwsIot> {
    let usual = "endpoint = \"a1b2c3d4e5-ats.iot.eu-central-1.amazonaws.com\"";
    let endpoint = reader.required("endpoint", usual);
    let host = endpoint.and_then(|text| reader.parse(&text, host));
    let thing = reader.required("thing", "thing = \"${hostname}\"");
    let thing = thing.and_then(|text| reader.parse(&text, client_id));
    let topic = reader.parsed("topic", own_topic);
    let port = reader.integer("port", 1..=u16::MAX).unwrap_or(PORT);
    let host = host?;
    if host.ends_with(".amazonaws.com") && !host.contains("-ats.") {
        let message =
            "this endpoint shows a certificate of an issuer that is not believed any more";
        let diagnostic = DiagnosticAt::warning(reader.value_place("endpoint"), message);
        let hint = "take the one with `-ats` in its name";
        reader.context().note(diagnostic.hint(hint));
    }
    let topic = match reader.has("topic") {
        true => topic?,
        false => Template::parse(TOPIC).ok()?,
    };
    Some(AwsIot {
        target: Target { host, port },
        thing: thing?,
        topic,
        is_try: false,
    })
}

/// The host alone.
fn host(text: &str) -> Result<String, ValueError> {
    if let Some((scheme, rest)) = text.split_once("://") {
        let bare = rest.split(['/', ':']).next().unwrap_or_default();
        let wrong = ValueError::new("an endpoint is a host, and no URL").at(0..scheme.len() + 3);
        return Err(wrong.hint(format!("write `endpoint = \"{bare}\"`")));
    }
    if let Some((host, port)) = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains(':'))
    {
        let wrong = ValueError::new("a port does not stand here").at(host.len()..text.len());
        return Err(wrong.hint(format!("write `endpoint = \"{host}\"` and `port = {port}`")));
    }
    address::host(text)
}

/// The client id.
fn client_id(text: &str) -> Result<String, ValueError> {
    let wrong = match text.len() {
        0 => "the thing has no name".to_owned(),
        1..=NAME_MAX => return mqtt_text(text),
        len => format!("the name has {len} bytes, AWS IoT takes at most {NAME_MAX}"),
    };
    Err(ValueError::new(wrong).hint("write the name of the thing in AWS IoT"))
}

/// A topic: what its own text says is judged here, what parameters bring for each message.
fn own_topic(text: &str) -> Result<Template, ValueError> {
    let template = topic(text)?;
    let parts = text.split('{').enumerate();
    let fixed: Vec<_> = parts
        .map(|(index, part)| match index {
            0 => part,
            _ => part.split_once('}').map_or("", |(_, behind)| behind),
        })
        .collect();
    check(&fixed.concat()).map_err(|wrong| {
        ValueError::new(wrong).hint("write fewer or shorter levels, as in `weir/{ident}`")
    })?;
    Ok(template)
}

/// Whether a topic is within the limits; the three levels of Basic Ingest do not count.
fn check(topic: &str) -> Result<(), String> {
    let behind_rule = topic.strip_prefix("$aws/rules/");
    let counted = behind_rule.and_then(|rest| rest.split_once('/'));
    let counted = counted.map_or(topic, |(_, rest)| rest);
    let slashes = counted.matches('/').count();
    match (slashes, counted.len()) {
        (SLASHES_MAX.., _) => Err(format!(
            "the topic has {slashes} slashes, AWS IoT takes at most 7"
        )),
        (_, len @ TOPIC_OVER..) => Err(format!(
            "the topic has {len} bytes, AWS IoT takes at most 256"
        )),
        _ => Ok(()),
    }
}

/// Where messages are published without `topic`.
const TOPIC: &str = "weir/{ident}";

/// Of MQTT by TLS with a client certificate.
const PORT: u16 = 8883;

/// Where ALPN says what is spoken.
const SHARED_PORT: u16 = 443;

/// Bytes of a client id at most.
const NAME_MAX: usize = 128;

/// So many slashes are too many.
const SLASHES_MAX: usize = 8;

/// So many bytes of a topic are too many.
const TOPIC_OVER: usize = 257;

/// More publishes of a connection than these are not taken before some are acknowledged.
const WINDOW: u16 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_judged_without_what_basic_ingest_puts_before_it() {
        let seven = "1/2/3/4/5/6/7/8";
        let long = "x".repeat(256);
        for (topic, is_right) in [
            ("weir/352", true),
            (seven, true),
            (&format!("{seven}/9"), false),
            (&format!("$aws/rules/r/{seven}"), true),
            (&format!("$aws/rules/r/{seven}/9"), false),
            (&long, true),
            (&format!("{long}x"), false),
            (&format!("$aws/rules/some_rule/{long}"), true),
        ] {
            assert_eq!(check(topic).is_ok(), is_right, "{topic}");
        }
    }

    #[test]
    fn what_a_template_says_itself_is_judged_when_it_is_read() {
        for (topic, is_right) in [
            ("weir/{ident}", true),
            ("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", true),
            ("{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", false),
            ("weir/{name:-1/2/3/4/5/6/7/8/9}", true),
            ("weir/#", false),
        ] {
            assert_eq!(own_topic(topic).is_ok(), is_right, "{topic}");
        }
    }
}
