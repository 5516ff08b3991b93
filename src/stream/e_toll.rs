//! `type = "e-toll"`: e-TOLL, the toll system of Poland, for those that are operators of it: an
//! array of rows a request, by HTTPS, to who shows a certificate. What is in a row is in the
//! operator's document and in no public one: `fields` says it.
//!
//! Source: the pages of etoll.gov.pl and puesc.gov.pl for operators; that an answer is 200 or 400,
//! and a request of 1 to 10,000 rows, is read in one public description of the interface alone.

use super::Defaults;
use super::Destination;
use super::Endpoint;
use super::Kind;
use super::Link;
use super::NetworkEndpoint;
use super::Open;
use super::TlsUse;
use super::engine::Outgoing;
use super::http::HttpLink;
use super::http::profile::Answer;
use super::http::profile::Frame;
use super::http::profile::Profile;
use super::render::MessageView;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::reader::Reader;
use crate::keys::text::template;
use crate::keys::url;
use crate::keys::url::Scheme;
use crate::net::Target;
use crate::template::Escape;
use crate::template::Template;
use crate::units::Period;
use std::rc::Rc;
use std::time::Duration;

/// `type = "e-toll"`.
#[derive(Clone, Debug, PartialEq)]
pub struct EToll {
    /// Host and port of `url`.
    pub target: Target,
    /// Path and query of `url`.
    pub path: String,
    /// The names of a row and what is there, in order; one parameter alone keeps its type.
    pub fields: Vec<(String, Template)>,
}

/// Its row.
pub(crate) static KIND: Kind = Kind {
    defaults: Defaults {
        max_age: Some(MAX_AGE),
        ..Defaults::COMMON
    },
    ..Kind::new("e-toll", |reader| Some(Rc::new(read(reader)?)))
};

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<EToll> {
    let url = reader.required("url", "url = \"https://etoll.example.com/\"");
    let url = url.and_then(|text| {
        reader.parse(&text, |text| {
            let url = url::parse(text, &SCHEMES)?;
            match &url.user {
                None => Ok((url.target.clone(), url.path.to_owned())),
                Some(_) => Err(ValueError::new("the certificate is the login")
                    .hint("leave user and password out")),
            }
        })
    });
    let fields = fields(reader);
    warn_of_age(reader);
    let (target, path) = url?;
    Some(EToll {
        target,
        path,
        fields: fields?,
    })
}

/// `fields`, in their order; none if something is wrong with it.
fn fields(reader: &mut Reader<'_>) -> Option<Vec<(String, Template)>> {
    if !reader.has("fields") {
        reader.take("fields");
        reader.missing("fields", &format!("fields = {FIELDS}"));
        return None;
    }
    let table = reader.table_like("fields", FIELDS)?;
    let (context, entries) = (table.context(), table.entries());
    if entries.is_empty() {
        reader.error(
            reader.value_place("fields"),
            "a row of nothing",
            format!("write `fields = {FIELDS}`"),
        );
    }
    let fields = entries.iter().filter_map(|entry| {
        let text = context.text(&entry.node)?;
        let value = template(&text.value, 0).map_err(|error| context.wrong(&text, error));
        Some((entry.key.clone(), value.ok()?))
    });
    let fields: Vec<_> = fields.collect();
    (!fields.is_empty() && fields.len() == entries.len()).then_some(fields)
}

/// What is older is processed by nobody, and may stand in the way of others.
fn warn_of_age(reader: &Reader<'_>) {
    let written = reader.peek("max_age");
    if let Some(Ok(Period(age))) = written.map(|text| text.parse())
        && (age.is_zero() || age > MAX_AGE)
    {
        let message = "e-TOLL processes nothing that was measured more than 240 h ago";
        let warning = DiagnosticAt::warning(reader.value_place("max_age"), message);
        let hint = "leave `max_age` out";
        reader.context().note(warning.hint(hint));
    }
}

impl Destination for EToll {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn endpoint(&self) -> Endpoint<'_> {
        Endpoint::Network(NetworkEndpoint {
            needs_certificate: true,
            ..NetworkEndpoint::new(&self.target, TlsUse::Always)
        })
    }

    fn link<'a>(&'a self, open: Open<'a>) -> Box<dyn Link + 'a> {
        Box::new(HttpLink::new(self, open))
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        let templates = self.fields.iter().map(|(_, template)| template);
        templates.map(|template| ("fields", template)).collect()
    }
}

impl Profile for EToll {
    fn frame(&self) -> Frame {
        Frame {
            messages_max: ROWS_MAX,
            ..Frame::JSON_ARRAY
        }
    }

    fn fixed_path(&self) -> &str {
        &self.path
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut row = String::from("{");
        for (name, template) in &self.fields {
            if row.len() > 1 {
                row.push(',');
            }
            quote(name, &mut row);
            row.push(':');
            write_value(view, template, message, &mut row)?;
        }
        row.push('}');
        out.extend_from_slice(row.as_bytes());
        Ok(())
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let hint = match answer.status {
            401 | 403 => "look at `tls.certificate`, and whether the operator named this address",
            300..400 | 404 | 405 => "look at `url`",
            400 => "look at `fields`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Appends a template as a value of JSON: a parameter alone as what it is, all else as a text.
fn write_value(
    view: &MessageView<'_>,
    template: &Template,
    message: &Outgoing<'_>,
    out: &mut String,
) -> Result<(), String> {
    let mut text = String::new();
    if !template.is_one_parameter() {
        view.template(template, Escape::None, message, &mut text)?;
        quote(&text, out);
        return Ok(());
    }
    view.template(template, Escape::JsonValue, message, &mut text)?;
    // a default is written as it stands: `{din:-0}` is a number, `{text:-none}` is none
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => out.push_str(&text),
        Err(_) => quote(&text, out),
    }
    Ok(())
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// "Older than 10 days", from the moment at which the device measured it.
const MAX_AGE: Duration = Duration::from_hours(240);

/// Rows of a request at most.
const ROWS_MAX: usize = 10_000;

/// Names of a row that are made up.
const FIELDS: &str = "{ serialNumber = \"{ident}\", latitude = \"{position.latitude}\" }";

/// There is no other.
const SCHEMES: [Scheme; 1] = [Scheme {
    name: "https",
    port: 443,
    tls: true,
}];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::stream::http::profile::Verdict;
    use crate::stream::outgoing::with_outgoing;
    use crate::stream::settings::Transform;

    fn e_toll(fields: &[(&str, &str)]) -> EToll {
        let field = |(name, text): &(&str, &str)| {
            let template = Template::parse(text).unwrap();
            ((*name).to_owned(), template)
        };
        EToll {
            target: Target {
                host: "h".into(),
                port: 443,
            },
            path: "/".into(),
            fields: fields.iter().map(field).collect(),
        }
    }

    fn row(fields: &[(&str, &str)], text: &str) -> String {
        let received = Wall {
            since_1970: Duration::from_secs(1_700_000_000),
            trusted: true,
        };
        let (transform, mut out) = (Transform::default(), Vec::new());
        let (mut view, it) = (MessageView::new(&transform), e_toll(fields));
        let written = with_outgoing(text, received, |message| {
            it.write(&mut view, message, &mut out)
        });
        written.map_or_else(|reason| reason, |()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_parameter_alone_keeps_its_type_and_all_else_is_a_text() {
        let text = r#"{"ident":"007","timestamp":5,"a":1.5,"b":true,"c":"x\"\n","d":[1],"e":null}"#;
        let fields = [
            ("id", "{ident}"),
            ("time", "{timestamp}"),
            ("a \"b\"", "{a}"),
            ("b", "{b}"),
            ("c", "{c}"),
            ("d", "{d}"),
            ("e", "{e}"),
            ("mixed", "{ident}-{a}{c}"),
            ("constant", "1"),
            ("zero", "{none:-0}"),
            ("nothing", "{none:-null}"),
            ("word", "{none:-wo\"rd}"),
            ("empty", "{none:-}"),
        ];
        assert_eq!(
            row(&fields, text),
            "{\"id\":\"007\",\"time\":5,\"a \\\"b\\\"\":1.5,\"b\":true,\"c\":\"x\\\"\\n\",\
             \"d\":[1],\"e\":null,\"mixed\":\"007-1.5x\\\"\\n\",\"constant\":\"1\",\"zero\":0,\
             \"nothing\":null,\"word\":\"wo\\\"rd\",\"empty\":\"\"}"
        );
        assert_eq!(
            row(&[("a", "{none}")], text),
            "template: the message has no `none`"
        );
    }

    #[test]
    fn a_row_is_refused_for_its_own_sake_and_a_certificate_is_not() {
        for (status, body, verdict, hint) in [
            (200, "", Verdict::Taken, ""),
            (400, "latitude is missing", Verdict::Refused, "`fields`"),
            (403, "", Verdict::Configuration, "`tls.certificate`"),
            (404, "", Verdict::Configuration, "`url`"),
            (413, "", Verdict::Doubted, ""),
            (500, "", Verdict::Later(None), ""),
        ] {
            let answer = Answer {
                status,
                body: body.as_bytes(),
                is_whole: true,
                messages: 2,
            };
            let it = e_toll(&[("a", "b")]);
            assert_eq!(it.verdict(&answer), verdict, "{status}");
            let told = it.hint(&answer).unwrap_or_default();
            assert!(told.contains(hint), "{status}: {told}");
        }
    }
}
