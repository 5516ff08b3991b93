//! The keys of `type = "influxdb"`: which version they mean, and what is missing for that.

use super::Influxdb;
use super::Version;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::reader::Reader;
use crate::keys::text::template;
use crate::keys::text::token;
use crate::keys::url;
use crate::keys::url::Url;
use crate::keys::url::warn_of_plain_text;
use crate::stream::http::plain::SCHEMES;
use crate::stream::http::plain::authorization;
use crate::template;
use crate::template::Template;

/// The keys; none if one that it needs is wrong or not there.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Influxdb> {
    let text = reader.required("url", "url = \"http://127.0.0.1:8086\"");
    let text = text.as_ref();
    let url = text.and_then(|text| reader.parse(text, |text| url::parse(text, &SCHEMES)));
    let base = text
        .zip(url.as_ref())
        .and_then(|(text, url)| reader.parse(text, |_| base(url)));
    let version = version(reader);
    let place = version.and_then(|version| place(reader, version));
    let authorization = login(reader, url.as_ref(), version);
    let measurement = reader.parsed("measurement", measurement);
    let tags = tags(reader);
    let integers = reader.flag("integers");
    let gzip = reader.flag("gzip");
    let url = url?;
    Some(Influxdb {
        target: url.target,
        tls: url.tls,
        version: version?,
        path: format!("{}{}", base?, place?),
        authorization,
        measurement: measurement.or_else(|| Template::parse("position").ok())?,
        tags: tags?,
        integers: integers.unwrap_or(false),
        gzip: gzip.unwrap_or(false),
    })
}

/// What stands before the path of the API: a proxy may have put it elsewhere than at the root.
fn base<'a>(url: &Url<'a>) -> Result<&'a str, ValueError> {
    let path = url.path.trim_end_matches('/');
    let is_whole = ["/write", "/api/v2/write", "/api/v3/write_lp"]
        .iter()
        .any(|end| path.ends_with(end));
    if is_whole || path.contains('?') {
        let error = ValueError::new("weir itself adds the path of the API");
        let at = url.path_at..url.path_at + url.path.len();
        return Err(error.at(at).hint("write host and port alone"));
    }
    Ok(path)
}

/// `version`, or what the other keys say of it.
fn version(reader: &mut Reader<'_>) -> Option<Version> {
    let written = reader.choice("version", &VERSIONS);
    if written.is_some() || reader.has("version") {
        return written;
    }
    match (
        reader.has("bucket") || reader.has("org"),
        reader.has("database"),
        reader.has("token"),
    ) {
        (true, ..) => Some(Version::Two),
        (false, true, true) => Some(Version::Three),
        (false, true, false) => Some(Version::One),
        (false, false, _) => {
            let hint = "write `database = \"weir\"` for InfluxDB 1 and 3, `bucket = \"weir\"` and \
                        `org = \"fleet\"` for 2";
            let place = reader.place_of("database");
            reader.error(place, "this stream names no database", hint);
            None
        }
    }
}

/// Where the lines go: path and query of the API.
fn place(reader: &mut Reader<'_>, version: Version) -> Option<String> {
    let mut name = |key: &'static str| reader.parsed(key, name);
    let (database, bucket, org) = (name("database"), name("bucket"), name("org"));
    for key in ["database", "bucket", "org"] {
        let wanted = (key == "database") != (version == Version::Two);
        match (wanted, reader.has(key)) {
            (true, false) => reader.missing(key, &format!("{key} = \"weir\"")),
            (false, true) => {
                let message = format!("InfluxDB {} has no `{key}`", version.number());
                reader.error(reader.place_of(key), message, version.keys());
            }
            _ => {}
        }
    }
    Some(match version {
        Version::One => format!("/write?db={}", database?),
        Version::Two => format!("/api/v2/write?org={}&bucket={}", org?, bucket?),
        Version::Three => format!("/api/v3/write_lp?db={}&no_sync=false", database?),
    })
}

/// The value of `Authorization`, from `token`, `auth` or `url`.
fn login(
    reader: &mut Reader<'_>,
    url: Option<&Url<'_>>,
    version: Option<Version>,
) -> Option<String> {
    let in_auth = authorization(reader, url, &[]);
    let token = reader.parsed("token", token);
    if in_auth.is_some() && reader.has("token") {
        let message = "there are two logins";
        reader.error(reader.place_of("token"), message, "leave one of them");
    }
    if let Some(url) = url.filter(|url| token.is_some() && !url.tls) {
        warn_of_plain_text(reader, &url.target);
    }
    match version? {
        Version::One if reader.has("token") => {
            let hint = "write `auth = { user = \"...\", password = \"...\" }`";
            reader.error(reader.place_of("token"), "InfluxDB 1 has no tokens", hint);
            None
        }
        Version::Two if in_auth.is_none() && !reader.has("token") => {
            reader.missing("token", "token = \"${file:/etc/weir/influxdb.token}\"");
            None
        }
        Version::Two => token.map(|token| format!("Token {token}")).or(in_auth),
        Version::One | Version::Three => token.map(|token| format!("Bearer {token}")).or(in_auth),
    }
}

/// A name as it stands in a query.
fn name(text: &str) -> Result<String, ValueError> {
    if text.trim().is_empty() {
        return Err(ValueError::new("the name is empty").hint("write it as the database has it"));
    }
    let mut escaped = String::new();
    template::write_escaped(text, &mut escaped);
    Ok(escaped)
}

fn measurement(text: &str) -> Result<Template, ValueError> {
    match text.trim() {
        "" => Err(ValueError::new("the name is empty").hint("leave it out for `position`")),
        _ => template(text, 0),
    }
}

/// `tags`; none if one of them is wrong.
fn tags(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let Some(texts) = reader.texts("tags") else {
        return match reader.has("tags") {
            true => None,
            false => Some(vec!["ident".to_owned()]),
        };
    };
    let (mut tags, count) = (Vec::new(), texts.len());
    for text in texts {
        tags.extend(reader.parse(&text, |text| tag(text, &tags)));
    }
    if !tags.iter().any(|tag: &String| tag == "ident") {
        let message = "without `ident` devices overwrite what others measured at the same moment";
        let warning = DiagnosticAt::warning(reader.value_place("tags"), message);
        let hint = "write `tags = [\"ident\"]`, and the others behind it";
        reader.context().note(warning.hint(hint));
    }
    (tags.len() == count).then_some(tags)
}

/// The database keeps an index of each value that a tag ever had.
fn tag(text: &str, others: &[String]) -> Result<String, ValueError> {
    let error = match text {
        "" => ValueError::new("the name is empty").hint("leave it out"),
        "timestamp" | "server.timestamp" => {
            ValueError::new("a time is no tag").hint("leave it out: each line has the time")
        }
        text if text.starts_with("position.") => {
            ValueError::new(format!("`{text}` as a tag begins a series with each value"))
                .hint("leave it out: it is a field")
        }
        text if others.iter().any(|other| other == text) => {
            ValueError::new(format!("`{text}` is there already")).hint("leave one of them")
        }
        text => return Ok(text.to_owned()),
    };
    Err(error)
}

impl Version {
    /// As `version` has it.
    fn number(self) -> &'static str {
        let mut named = VERSIONS.iter().filter(|(_, version)| *version == self);
        named.next().map_or("", |(number, _)| number)
    }

    /// What to write instead of a key of another version.
    fn keys(self) -> &'static str {
        match self {
            Self::One | Self::Three => "write `database`, or `version = \"2\"`",
            Self::Two => "write `bucket` and `org`, or `version = \"1\"` or `\"3\"`",
        }
    }
}

const VERSIONS: [(&str, Version); 3] = [
    ("1", Version::One),
    ("2", Version::Two),
    ("3", Version::Three),
];
