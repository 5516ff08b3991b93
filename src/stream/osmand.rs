//! `type = "osmand"`: one position a request, in the query of a `GET`, as Traccar, weir itself and
//! others take it.
//!
//! | parameter | field |
//! | --- | --- |
//! | `ident`, `timestamp` | `id`, `timestamp`: seconds, or with a fraction milliseconds |
//! | `position.latitude` and `.longitude`, both | `lat`, `lon` |
//! | `position.speed`: km/h | `speed`: knots |
//! | `vehicle.mileage`: km | `odometer`: m |
//! | `alarm.status`, if it is true | `alarm`: `sos` |
//! | those of `NAMES` | as there |
//! | where it came from: `NOT_TOLD` | nothing |
//! | others, unless they are called like a field of the protocol: `OWN` | under their own names |
//!
//! Source: traccar.org/osmand, and what Traccar's server does where that says nothing.

use super::Destination;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Outgoing;
use super::http::HttpLink;
use super::http::plain::PIPELINE;
use super::http::plain::SCHEMES;
use super::http::plain::authorization;
use super::http::profile::Answer;
use super::http::profile::Frame;
use super::http::profile::Login;
use super::http::profile::Profile;
use super::http::profile::Verdict;
use super::render;
use super::render::MessageView;
use crate::clock::Now;
use crate::keys::reader::Reader;
use crate::keys::secrets::looks_like_token;
use crate::keys::url;
use crate::message::ENVELOPE;
use crate::message::ValueRef;
use crate::net::Target;
use crate::template::write_escaped;
use crate::wire::nmea::KNOT;
use std::fmt::Display;
use std::rc::Rc;

/// `type = "osmand"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Osmand {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `https`.
    pub tls: bool,
    /// What stands before the fields: the path of `url`, and `?` or `&`.
    pub path: String,
    /// The value of `Authorization`, for a proxy.
    pub authorization: Option<String>,
    /// Requests on their way at most, from 1.
    pub pipeline: usize,
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("osmand", |reader| Some(Rc::new(read(reader)?)));

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<Osmand> {
    let text = reader.required("url", "url = \"http://traccar.example.com:5055\"");
    let text = text.as_ref();
    let url = text.and_then(|text| reader.parse(text, |text| url::parse(text, &SCHEMES)));
    let authorization = authorization(reader, url.as_ref(), &[]);
    let pipeline = reader.integer("pipeline", PIPELINE);
    let url = url?;
    let path = match (url.path, url.path.contains('?')) {
        ("", _) => "/?".to_owned(),
        (path, true) => format!("{path}&"),
        (path, false) => format!("{path}?"),
    };
    Some(Osmand {
        target: url.target,
        tls: url.tls,
        path,
        authorization,
        pipeline: pipeline.unwrap_or(1),
    })
}

impl Destination for Osmand {
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

impl Profile for Osmand {
    fn frame(&self) -> Frame {
        Frame {
            line_max: LINE_MAX,
            in_flight_max: self.pipeline,
            ..Frame::NOTHING
        }
    }

    fn method(&self) -> &str {
        "GET"
    }

    fn path(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        out.push_str(&self.path);
        write_query(view, message, out)
    }

    fn authorize(&self, _now: Now) -> Login {
        Login {
            authorization: self.authorization.clone(),
            until: None,
        }
    }

    /// The login, and what in the path can be a token.
    fn secrets(&self) -> Vec<String> {
        let login = self.authorization.iter().flat_map(|text| text.split(' '));
        let path = self.path.split(['/', '?', '&', '=']);
        let path = path.filter(|part| looks_like_token(part));
        path.chain(login.skip(1)).map(str::to_owned).collect()
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        match answer.status {
            // an id that nobody has registered, or nobody has heard of the path: others tell
            400 | 404 => Verdict::Doubted,
            414 | 431 => Verdict::Refused,
            status => Verdict::usual(status),
        }
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let hint = match answer.status {
            400 | 404 => "register the id there, or set `database.registerUnknown` in Traccar",
            401 | 403 => "look at `auth`",
            405 => "look at `url`: this is no port for OsmAnd's protocol",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Appends the fields of a message. Who and when are told as they were before the conversion.
fn write_query(
    view: &mut MessageView<'_>,
    message: &Outgoing<'_>,
    out: &mut String,
) -> Result<(), String> {
    let Some(ValueRef::Text(ident)) = render::find(message, "ident") else {
        return Err("the message has no `ident`".to_owned());
    };
    out.push_str("id=");
    write_escaped(ident, out);
    let time = time(message).ok_or("`timestamp` is no time")?;
    field("timestamp", time, out);
    let shown = view.fields(message);
    let has = |wanted| shown.find(wanted).is_some();
    let has_place = has("position.latitude") && has("position.longitude");
    for (name, value) in shown.iter() {
        let known = NAMES.iter().find(|(parameter, _)| *parameter == name);
        match (name, value.number()) {
            ("position.latitude" | "position.longitude", _) if !has_place => {}
            ("position.speed", Some(speed)) => field("speed", rounded(speed / KNOT), out),
            ("vehicle.mileage", Some(km)) => field("odometer", rounded(km * 1e3), out),
            ("alarm.status", _) if value == ValueRef::Bool(true) => field("alarm", "sos", out),
            ("alarm.status", _) => {}
            (name, _) if ENVELOPE.contains(&name) || OWN.contains(&name) => {}
            // it says nothing
            _ if value == ValueRef::Null => {}
            (name, _) => field(known.map_or(name, |(_, field)| field), value, out),
        }
    }
    Ok(())
}

fn field(name: &str, value: impl Display, out: &mut String) {
    out.push('&');
    write_escaped(name, out);
    out.push('=');
    write_escaped(&value.to_string(), out);
}

/// When it was measured: seconds, or milliseconds where these are not whole.
fn time(message: &Outgoing<'_>) -> Option<u64> {
    match render::find(message, "timestamp")? {
        ValueRef::U64(seconds) if seconds < SECONDS_END => Some(seconds),
        ValueRef::U64(seconds) => seconds.checked_mul(1_000),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the range that was just asked for"
        )]
        ValueRef::F64(seconds) if (0.0..1e12).contains(&seconds) => {
            let millis = (seconds * 1e3).round() as u64;
            // what is less would be taken for seconds
            let is_seconds = millis < SECONDS_END;
            Some(if is_seconds { millis / 1_000 } else { millis })
        }
        _ => None,
    }
}

/// Six places are more than any receiver measures.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Parameters that Traccar knows under another name, in the same unit.
const NAMES: [(&str, &str); 16] = [
    ("position.latitude", "lat"),
    ("position.longitude", "lon"),
    ("position.direction", "bearing"),
    ("position.altitude", "altitude"),
    ("position.accuracy", "accuracy"),
    ("position.hdop", "hdop"),
    ("position.pdop", "pdop"),
    ("position.vdop", "vdop"),
    ("position.valid", "valid"),
    ("position.satellites", "sat"),
    ("battery.level", "batt"),
    ("driver.code", "driverUniqueId"),
    ("engine.ignition.status", "ignition"),
    ("movement.status", "motion"),
    ("external.powersource.voltage", "power"),
    ("battery.voltage", "battery"),
];

/// What a parameter that is called so would be taken for.
const OWN: [&str; 16] = [
    "id",
    "deviceid",
    "lat",
    "lon",
    "location",
    "speed",
    "bearing",
    "heading",
    "altitude",
    "accuracy",
    "valid",
    "hdop",
    "batt",
    "driverUniqueId",
    "cell",
    "wifi",
];

/// A time below is in seconds, else in milliseconds.
const SECONDS_END: u64 = 2_147_483_647;

/// Bytes of the first line of a request: Traccar's server reads no more.
const LINE_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::stream::outgoing::with_outgoing;
    use crate::stream::settings::Transform;
    use std::time::Duration;

    /// The query of a message that came at 1700000000.25.
    fn query(text: &str) -> String {
        let received = Wall {
            since_1970: Duration::new(1_700_000_000, 250_000_000),
            trusted: true,
        };
        let (transform, mut out) = (Transform::default(), String::new());
        let mut view = MessageView::new(&transform);
        let written = with_outgoing(text, received, |message| {
            write_query(&mut view, message, &mut out)
        });
        written.map_or_else(|reason| reason, |()| out)
    }

    #[test]
    fn a_message_is_told_in_the_words_and_units_of_traccar() {
        let text = r#"{"ident":"a b/&","timestamp":1700000000,"position.latitude":-52.5,
            "position.longitude":13,"position.speed":54,"position.direction":326,
            "position.altitude":106.5,"position.hdop":0.9,"position.valid":false,
            "position.satellites":11,"battery.level":80,"driver.code":"A&1",
            "engine.ignition.status":true,"vehicle.mileage":12.3456,"alarm.status":true,
            "din.1":1,"text":"x=é","list":[1,"a"],"none":null,"peer":"1.2.3.4"}"#
            .replace("a b/&", "a b&");
        assert_eq!(
            query(&text),
            "id=a%20b%26&timestamp=1700000000&lat=-52.5&lon=13&speed=29.157667&bearing=326\
             &altitude=106.5&hdop=0.9&valid=false&sat=11&batt=80&driverUniqueId=A%261\
             &ignition=true&odometer=12345.6&alarm=sos&din.1=1&text=x%3D%C3%A9\
             &list=%5B1%2C%22a%22%5D"
        );
    }

    #[test]
    fn what_traccar_would_take_for_its_own_is_left_out() {
        let text = r#"{"ident":"a","timestamp":1700000000,"position.latitude":1,"id":"b",
            "deviceid":"c","cell":"x","speed":3,"alarm.status":false}"#;
        assert_eq!(query(text), "id=a&timestamp=1700000000", "half a place");
    }

    #[test]
    fn a_time_is_told_in_seconds_or_in_milliseconds() {
        for (written, told) in [
            ("1700000000", "1700000000"),
            ("1700000000.1236", "1700000000124"),
            ("2147483646", "2147483646"),
            ("2147483647", "2147483647000"),
            ("100.5", "100"),
        ] {
            let text = format!("{{\"ident\":\"a\",\"timestamp\":{written}}}");
            assert_eq!(query(&text), format!("id=a&timestamp={told}"), "{written}");
        }
        let own = query(r#"{"ident":"a"}"#);
        assert_eq!(own, "id=a&timestamp=1700000000250");
    }

    #[test]
    fn an_id_that_is_not_known_is_told_apart_from_the_configuration_by_others() {
        let osmand = Osmand {
            target: Target {
                host: "h".into(),
                port: 5055,
            },
            tls: false,
            path: "/?".into(),
            authorization: None,
            pipeline: 1,
        };
        for (status, verdict, hint) in [
            (200, Verdict::Taken, ""),
            (400, Verdict::Doubted, "registerUnknown"),
            (404, Verdict::Doubted, "registerUnknown"),
            (414, Verdict::Refused, ""),
            (401, Verdict::Configuration, "`auth`"),
            (405, Verdict::Configuration, "`url`"),
            (429, Verdict::Later(None), ""),
            (503, Verdict::Later(None), ""),
        ] {
            let answer = Answer {
                status,
                body: b"",
                is_whole: true,
                messages: 1,
            };
            assert_eq!(osmand.verdict(&answer), verdict, "{status}");
            let told = osmand.hint(&answer).unwrap_or_default();
            assert!(told.contains(hint), "{status}: {told}");
        }
    }
}
