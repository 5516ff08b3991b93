//! `type = "http"`: any server that takes JSON, as the configuration says.

use super::HttpLink;
use super::profile::Answer;
use super::profile::Frame;
use super::profile::Login;
use super::profile::Profile;
use super::profile::Verdict;
use super::target::leads_elsewhere;
use crate::clock::Now;
use crate::keys::context::ValueError;
use crate::keys::diagnostic::DiagnosticAt;
use crate::keys::reader::Reader;
use crate::keys::secrets::is_secret;
use crate::keys::secrets::looks_like_token;
use crate::keys::text::template;
use crate::keys::text::token;
use crate::keys::tree::Node;
use crate::keys::tree::Tree;
use crate::keys::url;
use crate::keys::url::Scheme;
use crate::keys::url::Url;
use crate::keys::url::warn_of_plain_text;
use crate::net::Target;
use crate::stream::Destination;
use crate::stream::Endpoint;
use crate::stream::Kind;
use crate::stream::Link;
use crate::stream::NetworkEndpoint;
use crate::stream::Open;
use crate::stream::TlsUse;
use crate::stream::engine::Outgoing;
use crate::stream::render::MessageView;
use crate::stream::settings::Delivery;
use crate::template::Escape;
use crate::template::Template;
use base64::prelude::BASE64_STANDARD as BASE64;
use base64::prelude::Engine as _;
use std::ops::RangeInclusive;
use std::rc::Rc;

/// `type = "http"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Host and port of `url`.
    pub target: Target,
    /// The scheme is `https`.
    pub tls: bool,
    /// Path and query of `url`; `{ident}` and other parameters split a batch.
    pub path: Template,
    /// `POST` or `PUT`.
    pub method: String,
    /// Sent as they are, after those that weir sends.
    pub headers: Vec<(String, String)>,
    /// The value of `Authorization`.
    pub authorization: Option<String>,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// The body of a request with one message; none: a JSON array of many.
    pub body: Option<Template>,
    /// Answers that mean accepted; empty: 200 to 299.
    pub success: Vec<u16>,
    /// Requests on their way at most, from 1.
    pub pipeline: usize,
}

impl Http {
    /// What is left out of the configuration is as here: POST of JSON arrays to `/`, without TLS.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self {
            target,
            tls: false,
            path: Template::default(),
            method: "POST".to_owned(),
            headers: Vec::new(),
            authorization: None,
            gzip: false,
            body: None,
            success: Vec::new(),
            pipeline: 1,
        }
    }
}

/// Its row.
pub(crate) static KIND: Kind = Kind::new("http", |reader| Some(Rc::new(read(reader)?)));

impl Destination for Http {
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

    fn in_memory_max(&self, delivery: &Delivery) -> usize {
        (self.pipeline + 1) * delivery.max_messages
    }

    fn templates(&self) -> Vec<(&'static str, &Template)> {
        let body = self.body.as_ref().map(|body| ("body", body));
        [("url", &self.path)].into_iter().chain(body).collect()
    }
}

impl Profile for Http {
    fn frame(&self) -> Frame {
        let frame = match self.body {
            None => Frame::JSON_ARRAY,
            Some(_) => Frame::JSON,
        };
        Frame {
            gzip: self.gzip,
            in_flight_max: self.pipeline,
            ..frame
        }
    }

    fn method(&self) -> &str {
        &self.method
    }

    fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    fn path(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut String,
    ) -> Result<(), String> {
        view.template(&self.path, Escape::Url, message, out)
    }

    fn write(
        &self,
        view: &mut MessageView<'_>,
        message: &Outgoing<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let Some(body) = &self.body else {
            let written = view.object(message, out);
            return written.map_err(|error| error.to_string());
        };
        let mut text = String::new();
        view.template(body, Escape::Json, message, &mut text)?;
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn authorize(&self, _now: Now) -> Login {
        Login {
            authorization: self.authorization.clone(),
            until: None,
        }
    }

    fn secrets(&self) -> Vec<String> {
        let login = self.authorization.iter().flat_map(|text| text.split(' '));
        let headers = self.headers.iter();
        let headers = headers.filter(|(name, _)| is_secret(name));
        let signs = |c: char| matches!(c, '/' | '?' | '&' | '=');
        let path = self.path.texts().flat_map(|text| text.split(signs));
        let all = path
            .filter(|part| looks_like_token(part))
            .chain(login.skip(1));
        all.chain(headers.map(|(_, value)| value.as_str()))
            .map(str::to_owned)
            .collect()
    }

    fn needs_body(&self, status: u16) -> bool {
        verdict(status, &self.success) != Verdict::Taken
    }

    fn verdict(&self, answer: &Answer<'_>) -> Verdict {
        verdict(answer.status, &self.success)
    }

    fn hint(&self, answer: &Answer<'_>) -> Option<String> {
        let key = match answer.status {
            200..300 => "success",
            300..=399 | 404 | 410 => "url",
            401 | 403 => "auth",
            405 => "method",
            _ => return None,
        };
        Some(format!("look at `{key}`"))
    }
}

/// `success`: the answers that mean taken; empty: those that usually do.
fn verdict(status: u16, success: &[u16]) -> Verdict {
    match Verdict::usual(status) {
        _ if success.contains(&status) => Verdict::Taken,
        Verdict::Taken if !success.is_empty() => Verdict::Configuration,
        usual => usual,
    }
}

/// The keys; none if one that it needs is wrong or not there.
fn read(reader: &mut Reader<'_>) -> Option<Http> {
    let text = reader.required("url", "url = \"https://example.com/messages\"");
    let text = text.as_ref();
    let url = text.and_then(|text| reader.parse(text, |text| url::parse(text, &SCHEMES)));
    let path = text
        .zip(url.as_ref())
        .and_then(|(text, url)| reader.parse(text, |_| path(url)));
    let method = reader.choice("method", &METHODS);
    let headers = headers(reader);
    let authorization = authorization(reader, url.as_ref(), &headers);
    let success = success(reader);
    let gzip = reader.flag("gzip");
    let body = reader.parsed("body", body);
    let pipeline = reader.integer("pipeline", PIPELINE);
    let url = url?;
    let defaults = Http::new(url.target);
    Some(Http {
        tls: url.tls,
        path: path?,
        method: method.map_or(defaults.method, str::to_owned),
        headers,
        authorization,
        gzip: gzip.unwrap_or(defaults.gzip),
        body,
        success,
        pipeline: pipeline.unwrap_or(defaults.pipeline),
        ..defaults
    })
}

/// Path and query as a template; a URL without a path has the path `/`.
fn path(url: &Url<'_>) -> Result<Template, ValueError> {
    let (path, _) = url.path.split_once('?').unwrap_or((url.path, ""));
    let mut at = url.path_at;
    for segment in path.split('/') {
        if leads_elsewhere(segment) {
            let error = ValueError::new(format!("`{segment}` in a path leads elsewhere"));
            let hint = "write the path that is meant, without it";
            return Err(error.at(at..at + segment.len()).hint(hint));
        }
        at += segment.len() + 1;
    }
    let root = if url.path.starts_with('/') { "" } else { "/" };
    template(
        &format!("{root}{}", url.path),
        url.path_at.saturating_sub(root.len()),
    )
}

/// What one message is sent as; the server is told that it is JSON unless `headers` says other.
fn body(text: &str) -> Result<Template, ValueError> {
    match text.trim() {
        "" => Err(ValueError::new("the body is empty").hint("leave `body` out for a JSON array")),
        _ => template(text, 0),
    }
}

/// The value of `Authorization`, from `auth` or from the URL.
pub(crate) fn authorization(
    reader: &mut Reader<'_>,
    url: Option<&Url<'_>>,
    headers: &[(String, String)],
) -> Option<String> {
    let in_auth = auth(reader);
    let in_url = url.and_then(|url| {
        let password = url.password.as_deref().unwrap_or_default();
        url.user.as_ref().map(|user| basic(user, password))
    });
    let named = |(name, _): &(String, String)| name.eq_ignore_ascii_case("authorization");
    let in_headers = headers.iter().any(named);
    let hint = "leave one of them";
    if in_url.is_some() && reader.has("auth") {
        reader.error(reader.place_of("auth"), "`url` has a user already", hint);
    }
    let authorization = in_auth.or(in_url);
    if in_headers && authorization.is_some() {
        reader.error(
            reader.place_of("headers"),
            "there are two `Authorization`",
            hint,
        );
    }
    let open = url.filter(|url| !url.tls);
    if let Some(url) = open.filter(|_| in_headers || authorization.is_some()) {
        warn_of_plain_text(reader, &url.target);
    }
    authorization
}

/// `auth` as the value of `Authorization`.
fn auth(reader: &mut Reader<'_>) -> Option<String> {
    let mut auth = reader.table("auth")?;
    let bearer = auth.parsed("bearer", token);
    let user = auth.parsed("user", |user| match user.contains(':') {
        true => Err(ValueError::new("a user has no `:`")),
        false => Ok(user.to_owned()),
    });
    let password = auth.text("password").map(|text| text.value);
    let hint = "write `{ bearer = \"...\" }` or `{ user = \"...\", password = \"...\" }`";
    let written = (auth.has("bearer"), auth.has("user"), auth.has("password"));
    if !matches!(written, (true, false, false) | (false, true, true)) {
        let message = "`auth` is a bearer, or a user with a password";
        auth.error(reader.value_place("auth"), message, hint);
    }
    auth.finish();
    bearer
        .map(|token| format!("Bearer {token}"))
        .or_else(|| Some(basic(&user?, &password?)))
}

/// `headers`, in their order; what is wrong is noted.
fn headers(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let own_body = reader.has("body");
    let Some(table) = reader.table_like("headers", "{ \"X-Name\" = \"value\" }") else {
        return Vec::new();
    };
    let context = table.context();
    let headers = table.entries().iter().filter_map(|entry| {
        let is = |own: &str| own.eq_ignore_ascii_case(&entry.key);
        if OWN_HEADERS.iter().any(|own| is(own)) && !(own_body && is("Content-Type")) {
            let message = format!("weir itself sends `{}`", entry.key);
            context.note(DiagnosticAt::error(entry.key_place, message).hint("leave it out"));
        } else if !is_header_name(&entry.key) {
            context.note(DiagnosticAt::error(
                entry.key_place,
                "not the name of a header",
            ));
        }
        let value = context.text(&entry.node)?;
        if !value
            .value
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            context.wrong(
                &value,
                ValueError::new("a header has only printable ASCII characters"),
            );
        }
        Some((entry.key.clone(), value.value))
    });
    headers.collect()
}

/// A token of RFC 9110.
fn is_header_name(name: &str) -> bool {
    let of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(of_token)
}

/// `success`: a list, or one alone.
fn success(reader: &mut Reader<'_>) -> Vec<u16> {
    let Some(node) = reader.take("success") else {
        return Vec::new();
    };
    let nodes = match &node.tree {
        Tree::List(list) => list.as_slice(),
        Tree::Table(_) => {
            let hint = reader.example("success", "[200, 204]");
            reader.context().expected("a list of numbers", node, hint);
            return Vec::new();
        }
        _ => std::slice::from_ref(node),
    };
    let place = node.place;
    let status = |node: &Node| match node.tree {
        Tree::Integer(number) => u16::try_from(number)
            .ok()
            .filter(|n| (200..=599).contains(n)),
        _ => None,
    };
    let context = reader.context();
    let read = nodes.iter().filter_map(|node| {
        let status = status(node);
        if status.is_none() {
            let diagnostic = DiagnosticAt::error(node.place, "not a status of HTTP");
            context.note(diagnostic.hint(match node.place == place {
                true => "write `success = [200, 204]`",
                false => "write `200`, without quotes",
            }));
        }
        status
    });
    read.collect()
}

/// The value of `Authorization` for a user and a password.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
}

/// Schemes that are spoken.
pub(crate) const SCHEMES: [Scheme; 2] = [
    Scheme {
        name: "https",
        port: 443,
        tls: true,
    },
    Scheme {
        name: "http",
        port: 80,
        tls: false,
    },
];

/// Requests on their way: each that is there has its messages in memory.
pub(crate) const PIPELINE: RangeInclusive<usize> = 1..=100;

/// Those that carry a body.
const METHODS: [(&str, &str); 2] = [("POST", "POST"), ("PUT", "PUT")];

/// Headers that say what weir does, not what it is told.
const OWN_HEADERS: [&str; 8] = [
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Expect",
    "Host",
    "Transfer-Encoding",
    "Upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_encoded_as_the_rfc_has_it() {
        assert_eq!(
            basic("Aladdin", "open sesame"),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(basic("a", "b"), "Basic YTpi");
        assert_eq!(basic("ab", "c"), "Basic YWI6Yw==");
    }

    #[test]
    fn a_token_in_the_path_is_a_secret_and_a_login_too() {
        let target = Target {
            host: "example.com".into(),
            port: 80,
        };
        let header = |name: &str| (name.to_owned(), format!("of {name}"));
        let http = Http {
            path: Template::parse("/api/v1/A1_TOKEN/{ident}?key=Abcdef").unwrap(),
            headers: vec![header("X-Api-Key"), header("X-Site")],
            authorization: Some("Bearer hunter2".into()),
            ..Http::new(target)
        };
        let wanted = ["A1_TOKEN", "Abcdef", "hunter2", "of X-Api-Key"];
        assert_eq!(http.secrets(), wanted);
    }

    #[test]
    fn where_answers_are_listed_only_these_mean_taken() {
        assert_eq!(verdict(409, &[200, 409]), Verdict::Taken);
        assert_eq!(verdict(204, &[200, 409]), Verdict::Configuration);
        assert_eq!(verdict(204, &[]), Verdict::Taken);
        assert_eq!(verdict(503, &[200]), Verdict::Later(None));
    }
}
