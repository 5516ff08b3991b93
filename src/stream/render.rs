//! What a destination is shown of a message: the stored parameters and those of the reception,
//! converted as its stream says, or as they are in a template. Knows no format but JSON and that
//! of templates.

use super::engine::Outgoing;
use super::settings::Shape;
use crate::clock::Wall;
use crate::message::ValueRef;
use crate::message::body::Body;
use crate::message::body::UnknownVersion;
use crate::message::json;
use crate::template::Escape;
use crate::template::Missing;
use crate::template::Substitute;
use crate::template::Template;
use std::time::Duration;

/// Messages as one destination is shown them.
#[derive(Debug)]
pub struct View<'a> {
    shape: &'a Shape,
    /// Names that are built for one message.
    names: String,
}

impl<'a> View<'a> {
    /// Messages in this shape.
    #[must_use]
    pub fn new(shape: &'a Shape) -> Self {
        let names = String::new();
        Self { shape, names }
    }

    /// The parameters of a message as [`fields`] has them, converted.
    pub fn fields<'v>(
        &'v mut self,
        message: &Outgoing<'v>,
    ) -> impl Iterator<Item = (&'v str, ValueRef<'v>)> + Clone + use<'v> {
        let shape: &'v Shape = self.shape;
        shape.convert.apply(fields(message), &mut self.names)
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
        Body::new(message.body)?;
        json::write(self.fields(message), out);
        Ok(())
    }
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

/// The parameter of a message that [`fields`] has under this name.
#[must_use]
pub fn find<'a>(message: &Outgoing<'a>, wanted: &str) -> Option<ValueRef<'a>> {
    let mut fields = fields(message);
    let found = fields.find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value)
}

/// Appends `template` to `out` with the parameters that [`fields`] has; `{channel}` is short for
/// `{channel.name}`.
///
/// # Errors
/// When the message lacks one; `out` is as before.
pub fn template<'t>(
    template: &'t Template,
    escape: Escape,
    message: &Outgoing<'_>,
    out: &mut String,
) -> Result<(), Missing<'t>> {
    let find = |wanted: &str| find(message, wanted).map(Substitute::Value);
    let lookup = |wanted: &str| match wanted {
        "channel" => find(wanted).or_else(|| find("channel.name")),
        _ => find(wanted),
    };
    template.render(escape, lookup, out)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::body;
    use crate::ring::Seq;
    use crate::stream::engine::Repeat;

    /// What `show` makes of `text`, received at 1700000000.25.
    fn shown(text: &str, trusted: bool, show: impl Fn(&Outgoing<'_>) -> String) -> String {
        let names = json::Names {
            ident: "ident".into(),
            timestamp: "timestamp".into(),
        };
        let message = json::parse(text.as_bytes(), &names).unwrap();
        let mut bytes = Vec::new();
        body::encode(&message, &mut bytes);
        show(&Outgoing {
            seq: Seq(1),
            received: Wall {
                since_1970: Duration::new(1_700_000_000, 250_000_999),
                trusted,
            },
            body: &bytes,
            repeat: Repeat::First,
        })
    }

    fn as_object(message: &Outgoing<'_>) -> String {
        let mut out = Vec::new();
        View::new(&Shape::default())
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
        let text = r#"{"ident":"a/b","channel.name":"trackers"}"#.replace("a/b", "a b");
        let rendered = |from: &str, escape| {
            shown(&text, true, |message| {
                let (parsed, mut out) = (Template::parse(from).unwrap(), String::from(">"));
                match template(&parsed, escape, message, &mut out) {
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
            ">the message has no `din`"
        );
    }
}
