//! What a destination is shown of a message: the stored parameters and those of the reception,
//! converted as its stream says, or as they are in a template. Knows no format but JSON and that
//! of templates.

use super::outgoing::Outgoing;
use super::settings::StampOf;
use super::settings::Transform;
use crate::clock::Wall;
use crate::message::ValueRef;
use crate::message::body::Body;
use crate::message::body::UnknownVersion;
use crate::message::digest;
use crate::message::json;
use crate::template::Escape;
use crate::template::Substitute;
use crate::template::Template;
use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

/// Messages as one destination is shown them.
#[derive(Debug)]
pub struct MessageView<'a> {
    transform: &'a Transform,
    /// Names that are built for one message.
    names: String,
    /// The stamp of one message.
    stamp: String,
}

impl<'a> MessageView<'a> {
    /// Messages, transformed like this.
    #[must_use]
    pub fn new(transform: &'a Transform) -> Self {
        let (names, stamp) = (String::new(), String::new());
        Self {
            transform,
            names,
            stamp,
        }
    }

    /// The parameters of a message as [`fields`] has them, converted, and its stamp.
    pub fn fields<'v>(
        &'v mut self,
        message: &Outgoing<'v>,
    ) -> impl Iterator<Item = (&'v str, ValueRef<'v>)> + Clone + use<'v> {
        self.fields_without(message, &[])
    }

    /// The same without those that are called so before the conversion.
    pub fn fields_without<'v>(
        &'v mut self,
        message: &Outgoing<'v>,
        left_out: &'v [&'v str],
    ) -> impl Iterator<Item = (&'v str, ValueRef<'v>)> + Clone + use<'v> {
        let transform: &'v Transform = self.transform;
        self.stamp.clear();
        if let Some(stamp) = &transform.stamp {
            write_stamp(stamp.of, message, &mut self.stamp);
        }
        let name = transform.stamp.as_ref().map(|stamp| stamp.name.as_str());
        let stamp = name.map(|name| (name, ValueRef::Text(&self.stamp)));
        let told = fields(message).filter(|(name, _)| !left_out.contains(name));
        let converted = transform.convert.apply(told, &mut self.names);
        converted
            .filter(move |(known, _)| Some(*known) != name)
            .chain(stamp)
    }

    /// Appends what stays the same however often a message is sent: its stamp, or without one what
    /// a stamp of its record would be.
    pub fn id(&self, message: &Outgoing<'_>, out: &mut String) {
        let stamp = self.transform.stamp.as_ref();
        write_stamp(
            stamp.map_or(StampOf::Record, |stamp| stamp.of),
            message,
            out,
        );
    }

    /// Who a message is of, as Wialon knows it.
    #[must_use]
    pub fn wialon_uid<'v>(&self, message: &Outgoing<'v>) -> Cow<'v, str>
    where
        'a: 'v,
    {
        let transform: &'a Transform = self.transform;
        let ident = ident(message);
        match transform.data(ident, "wialon_uid") {
            Some(ValueRef::Text(uid)) => uid.into(),
            Some(ValueRef::U64(uid)) => uid.to_string().into(),
            _ => ident.into(),
        }
    }

    /// Appends `template` to `out` with the parameters that [`fields`] has, the stamp, and those
    /// that the configuration gives the device as `{device.data.NAME}`; `{channel}` is short for
    /// `{channel.name}`.
    ///
    /// # Errors
    /// When the message lacks one that has no default, as `unfilled` says it; `out` is as
    /// before.
    pub fn template(
        &self,
        template: &Template,
        escape: Escape,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        let data = |name: &str| match find(message, "ident") {
            Some(ValueRef::Text(ident)) => self.transform.data(ident, name),
            _ => None,
        };
        let stamp = self.transform.stamp.as_ref();
        let stamp = stamp.filter(|stamp| template.parameters().any(|name| name == stamp.name));
        let mut id = String::new();
        if let Some(stamp) = stamp {
            write_stamp(stamp.of, message, &mut id);
        }
        let lookup = |wanted: &str| {
            if stamp.is_some_and(|stamp| stamp.name == wanted) {
                return Some(Substitute::Text(&id));
            }
            // what a sender calls so is not what the configuration means
            let found = match (wanted, wanted.strip_prefix("device.data.")) {
                (_, Some(name)) => data(name),
                ("channel", _) => find(message, "channel.name"),
                _ => find(message, wanted),
            };
            found.map(Substitute::Value)
        };
        let rendered = template.render(escape, lookup, out);
        rendered.map_err(|missing| unfilled(&missing))
    }

    /// Appends the message as one JSON object.
    ///
    /// # Errors
    /// When the body is of an unknown version; `out` is as before.
    pub fn object(
        &mut self,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), UnknownVersion> {
        self.object_without(message, &[], out)
    }

    /// The same without the parameters that are called so before the conversion.
    ///
    /// # Errors
    /// As [`MessageView::object`].
    pub fn object_without(
        &mut self,
        message: &Outgoing<'_>,
        left_out: &[&str],
        out: &mut Vec<u8>,
    ) -> Result<(), UnknownVersion> {
        Body::new(message.body)?;
        json::write(self.fields_without(message, left_out), out);
        Ok(())
    }
}

/// The reason of a message that a template cannot be filled from: it is skipped, and kept among the
/// rejects.
pub(super) fn unfilled(why: &dyn fmt::Display) -> String {
    format!("template: {why}")
}

/// The parameters of a message in their order, then those that it got here: `timestamp` where the
/// sender gave none, `server.timestamp`, and `timestamp.valid` where no clock could be trusted.
/// Those of the same name that were stored give way. Empty where the body is of an unknown
/// version.
pub fn fields<'a>(
    message: &Outgoing<'a>,
) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + Clone + use<'a> {
    let body = Body::new(message.body).ok();
    let added = added(body.as_ref(), message.received);
    let names = added.map(|field| field.map(|(name, _)| name));
    let stored = body.into_iter().flat_map(|body| body.fields());
    stored
        .filter(move |(name, _)| !names.contains(&Some(name)))
        .chain(added.into_iter().flatten())
}

/// A message as one JSON object, with one parameter more.
#[must_use]
pub fn text(message: &Outgoing<'_>, more: Option<(&str, ValueRef<'_>)>) -> String {
    let mut text = Vec::new();
    json::write(fields(message).chain(more), &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// The parameter of a message that [`fields`] has under this name.
#[must_use]
pub fn find<'a>(message: &Outgoing<'a>, wanted: &str) -> Option<ValueRef<'a>> {
    let mut fields = fields(message);
    let found = fields.find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value)
}

/// Who a message is of; empty where the body is of an unknown version.
#[must_use]
pub fn ident<'a>(message: &Outgoing<'a>) -> &'a str {
    Body::new(message.body).map_or("", |body| body.text("ident"))
}

/// When a message was measured, since 1970; where its sender did not say so, when it came, if that
/// is known.
#[must_use]
pub fn measured(message: &Outgoing<'_>) -> Option<Duration> {
    let body = Body::new(message.body).ok()?;
    let came = message
        .received
        .trusted
        .then_some(message.received.since_1970);
    body.measured().or(came)
}

/// Appends what identifies a message. One without a time of its own is only the same as itself.
fn write_stamp(of: StampOf, message: &Outgoing<'_>, out: &mut String) {
    let body = Body::new(message.body).ok();
    let measured = body.filter(|body| body.measured().is_some());
    let Some(body) = measured.filter(|_| of == StampOf::Content) else {
        return record_id(message, out);
    };
    let said = body.fields().filter(|(name, _)| !RECEPTION.contains(name));
    let written = write!(out, "{:032x}", digest::of(said));
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

/// Appends what identifies a record, of whatever ring.
pub(super) fn record_id(message: &Outgoing<'_>, out: &mut String) {
    let written = write!(out, "{:08x}:{}", message.ring, message.seq.0);
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

fn added<'a>(body: Option<&Body<'a>>, received: Wall) -> [Option<(&'static str, ValueRef<'a>)>; 3] {
    let time = ValueRef::F64(seconds(received.since_1970));
    let has_timestamp = body.is_some_and(|body| body.find("timestamp").is_some());
    let measured = !has_timestamp && body.is_some();
    let doubtful = measured && !received.trusted;
    [
        measured.then_some(("timestamp", time)),
        body.map(|_| ("server.timestamp", time)),
        doubtful.then_some(("timestamp.valid", ValueRef::Bool(false))),
    ]
}

/// Seconds, cut to microseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of this era are exact in 53 bits"
)]
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// Where a message came from: it may come again from elsewhere.
const RECEPTION: [&str; 4] = ["channel.name", "protocol.name", "device.name", "peer"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::outgoing::with_outgoing;

    /// What `show` makes of `text`, received at 1700000000.25.
    fn shown(text: &str, trusted: bool, show: impl Fn(&Outgoing<'_>) -> String) -> String {
        let received = Wall {
            since_1970: Duration::new(1_700_000_000, 250_000_999),
            trusted,
        };
        with_outgoing(text, received, show)
    }

    fn as_object(message: &Outgoing<'_>) -> String {
        let mut out = Vec::new();
        MessageView::new(&Transform::default())
            .object(message, &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_message_is_shown_with_the_time_of_its_reception() {
        assert_eq!(
            shown(r#"{"ident":"a","timestamp":5,"din":1}"#, true, as_object),
            r#"{"ident":"a","timestamp":5,"din":1,"server.timestamp":1700000000.25}"#
        );
    }

    #[test]
    fn without_a_time_of_its_own_it_was_measured_on_arrival() {
        let times = r#""timestamp":1700000000.25,"server.timestamp":1700000000.25"#;
        assert_eq!(
            shown(r#"{"ident":"a"}"#, true, as_object),
            format!(r#"{{"ident":"a",{times}}}"#)
        );
        assert_eq!(
            shown(r#"{"ident":"a"}"#, false, as_object),
            format!(r#"{{"ident":"a",{times},"timestamp.valid":false}}"#)
        );
    }

    #[test]
    fn no_name_is_shown_twice() {
        let text = r#"{"ident":"a","server.timestamp":1,"timestamp.valid":true}"#;
        assert_eq!(
            shown(text, false, as_object),
            shown(r#"{"ident":"a"}"#, false, as_object)
        );
    }

    #[test]
    fn a_template_sees_all_that_is_shown() {
        let text = r#"{"ident":"a b","channel.name":"trackers",
            "channel":"forged","device.data.plate":"X"}"#;
        let rendered = |from: &str, escape| {
            shown(text, true, |message| {
                let (parsed, mut out) = (Template::parse(from).unwrap(), String::from(">"));
                let transform = Transform::default();
                let view = MessageView::new(&transform);
                match view.template(&parsed, escape, message, &mut out) {
                    Ok(()) => out,
                    Err(missing) => format!("{out}{missing}"),
                }
            })
        };
        let all = "{channel}/{ident}/{server.timestamp}";
        assert_eq!(rendered(all, Escape::None), ">trackers/a b/1700000000.25");
        assert_eq!(rendered("/x y/{ident}", Escape::Url), ">/x y/a%20b");
        assert_eq!(
            rendered("{ident}{din}", Escape::None),
            ">template: the message has no `din`"
        );
        assert_eq!(
            rendered("{device.data.plate:-none}", Escape::None),
            ">none",
            "only the configuration says it"
        );
    }
}
