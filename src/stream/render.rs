//! What a destination is shown of a message: the stored parameters and those of the reception,
//! converted as its stream says, or as they are in a template. Knows no format but JSON and that
//! of templates.

mod walk;

use super::outgoing::Outgoing;
use super::settings::StampOf;
use super::settings::Transform;
use crate::convert::Field;
use crate::convert::Plan;
use crate::message::ValueRef;
use crate::message::body::Body;
use crate::message::body::UnknownVersion;
use crate::message::digest;
use crate::message::json_write;
use crate::message::json_write::Number;
use crate::template::Escape;
use crate::template::Substitute;
use crate::template::Template;
use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;
use walk::Walk;
use walk::is_doubtful;
use walk::seconds;

/// Messages as one destination is shown them.
#[derive(Debug)]
pub struct MessageView<'a> {
    transform: &'a Transform,
    /// None: messages stay as they are.
    plan: Option<Plan<'a>>,
    /// The stamp of one message.
    stamp: String,
}

/// The parameters of a message as one destination is shown them.
#[derive(Debug)]
pub struct Shown<'v>(Vec<Field<'v>>);

impl<'v> Shown<'v> {
    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, ValueRef<'v>)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The value of one.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<ValueRef<'v>> {
        let mut all = self.iter();
        let found = all.find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value)
    }
}

impl<'a> MessageView<'a> {
    /// Messages, transformed like this.
    #[must_use]
    pub fn new(transform: &'a Transform) -> Self {
        let stamp = transform.stamp.as_ref().map(|stamp| stamp.name.as_str());
        Self {
            transform,
            plan: Plan::new(&transform.convert, stamp),
            stamp: String::new(),
        }
    }

    /// The parameters of a message, and those that it got here, converted, and its stamp. None
    /// where the body is of an unknown version.
    pub fn fields<'v>(&'v mut self, message: &Outgoing<'v>) -> Shown<'v> {
        self.fields_without(message, &[])
    }

    /// The same without those that are called so before the conversion.
    pub fn fields_without<'v>(
        &'v mut self,
        message: &Outgoing<'v>,
        left_out: &[&str],
    ) -> Shown<'v> {
        self.write_stamp(message);
        let Ok(walk) = Walk::new(message, left_out) else {
            return Shown(Vec::new());
        };
        let plan = self.plan.as_ref();
        let Self {
            transform, stamp, ..
        } = self;
        let mut shown = walk.list(plan).0;
        let set = plan.into_iter().flat_map(Plan::set);
        shown.extend(set.map(|(name, value)| (name.into(), value)));
        let name = transform.stamp.as_ref().map(|stamp| stamp.name.as_str());
        shown.extend(name.map(|name| (name.into(), ValueRef::Text(stamp))));
        Shown(shown)
    }

    fn write_stamp(&mut self, message: &Outgoing<'_>) {
        self.stamp.clear();
        if let Some(stamp) = &self.transform.stamp {
            write_stamp(stamp.of, message, &mut self.stamp);
        }
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

    /// Appends `template` to `out` with the parameters that [`write()`] shows, the stamp, and those
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
        let texts = &self.transform.texts;
        if texts.get(message, out) {
            return Ok(());
        }
        let start = out.len();
        self.object_without(message, &[], out)?;
        texts.put(message, out.get(start..).unwrap_or_default());
        Ok(())
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
        self.write_stamp(message);
        let walk = Walk::new(message, left_out)?;
        let start = out.len();
        let plan = self.plan.as_ref();
        walk.json(plan, out);
        if let Some(plan) = plan {
            out.extend_from_slice(plan.set_json());
        }
        if let Some(stamp) = &self.transform.stamp {
            json_write::field(&stamp.name, ValueRef::Text(&self.stamp), out);
        }
        json_write::close(start, out);
        Ok(())
    }
}

/// The reason of a message that a template cannot be filled from: it is skipped, and kept among the
/// rejects.
pub(super) fn unfilled(why: &dyn fmt::Display) -> String {
    format!("template: {why}")
}

/// Appends a message as one JSON object: its parameters in their order, then those that it got
/// here: `timestamp` where the sender gave none, `server.timestamp`, and `timestamp.valid` where no
/// clock could be trusted; those of the same name that were stored give way. Then one more. None of
/// the message where its body is of an unknown version.
pub fn write(message: &Outgoing<'_>, more: Option<(&str, ValueRef<'_>)>, out: &mut Vec<u8>) {
    let start = out.len();
    if let Ok(walk) = Walk::new(message, &[]) {
        walk.json(None, out);
    }
    if let Some((name, value)) = more {
        json_write::field(name, value, out);
    }
    json_write::close(start, out);
}

/// The text that [`write()`] appends.
#[must_use]
pub fn text(message: &Outgoing<'_>, more: Option<(&str, ValueRef<'_>)>) -> String {
    let mut text = Vec::new();
    write(message, more, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// The parameter of a message that [`write()`] shows under this name.
#[must_use]
pub fn find<'a>(message: &Outgoing<'a>, wanted: &str) -> Option<ValueRef<'a>> {
    let body = Body::new(message.body).ok()?;
    let came = || ValueRef::F64(seconds(message.received.since_1970));
    match wanted {
        "server.timestamp" => Some(came()),
        "timestamp" => Some(body.find(wanted).unwrap_or_else(came)),
        "timestamp.valid" if is_doubtful(&body, message.received) => Some(ValueRef::Bool(false)),
        _ => body.find(wanted),
    }
}

/// Who a message is of; empty where the body is of an unknown version.
#[must_use]
pub fn ident<'a>(message: &Outgoing<'a>) -> &'a str {
    Body::new(message.body).map_or("", |body| body.ident())
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
    let body = match of {
        StampOf::Content => Body::new(message.body).ok(),
        StampOf::Record => None,
    };
    let Some(body) = body.filter(|body| body.measured().is_some()) else {
        return record_id(message, out);
    };
    let said = body.fields().filter(|(name, _)| !RECEPTION.contains(name));
    let written = write!(out, "{:032x}", digest::of(said));
    debug_assert!(written.is_ok(), "a string takes all that is written to it");
}

/// Appends what identifies a record, of whatever ring.
pub(super) fn record_id(message: &Outgoing<'_>, out: &mut String) {
    let digit = |place: u32| char::from_digit(message.ring >> (4 * place) & 15, 16);
    out.extend((0..8).rev().filter_map(digit));
    out.push(':');
    let mut seq = Number::default();
    seq.integer(message.seq.0);
    out.push_str(seq.as_str());
}

/// Where a message came from: it may come again from elsewhere.
const RECEPTION: [&str; 4] = ["channel.name", "protocol.name", "device.name", "peer"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::stream::outgoing::with_outgoing;
    use crate::stream::settings::Stamp;
    use crate::stream::texts::SharedTexts;

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
    fn nothing_is_allocated_for_a_message() {
        let text =
            r#"{"ident":"a\"b","timestamp":5.25,"din":-1,"x":"é\n","n":[1],"position.speed":3}"#;
        let stamp = Stamp {
            name: "id".to_owned(),
            of: StampOf::Record,
        };
        let mut stamped = Transform {
            stamp: Some(stamp),
            ..Transform::default()
        };
        stamped.convert.dots = Some("_".to_owned());
        for transform in [Transform::default(), stamped] {
            let mut view = MessageView::new(&transform);
            let topic = Template::parse("a/{ident}/{din}/{server.timestamp}").unwrap();
            let (mut out, mut filled) = (Vec::with_capacity(4096), String::with_capacity(4096));
            let received = Wall {
                since_1970: Duration::new(1_700_000_000, 250_000_999),
                trusted: true,
            };
            with_outgoing(text, received, |message| {
                let mut render = || {
                    view.object(message, &mut out).unwrap();
                    let filled = view.template(&topic, Escape::None, message, &mut filled);
                    filled.unwrap();
                };
                // the stamp gets its room
                render();
                let counted = allocation_counter::measure(render);
                assert_eq!(counted.count_total, 0, "{counted:?}");
            });
        }
    }

    #[test]
    fn a_text_that_is_shared_is_that_of_the_stream() {
        let transform = Transform {
            texts: SharedTexts::new(),
            ..Transform::default()
        };
        let text = |text: &str| {
            shown(text, true, |message| {
                let mut out = b"before".to_vec();
                let mut view = MessageView::new(&transform);
                view.object(message, &mut out).unwrap();
                String::from_utf8(out).unwrap()
            })
        };
        let first = format!("before{}", shown(r#"{"ident":"a"}"#, true, as_object));
        assert_eq!(text(r#"{"ident":"a"}"#), first);
        // the same number and the same time: no other message has them
        assert_eq!(text(r#"{"ident":"b"}"#), first);
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
