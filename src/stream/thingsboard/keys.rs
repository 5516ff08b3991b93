//! The keys of `thingsboard`.

use super::Mode;
use super::ThingsBoard;
use super::ThingsBoardHttp;
use crate::keys::context::ValueError;
use crate::keys::reader::Reader;
use crate::keys::text::template;
use crate::keys::url;
use crate::keys::url::Scheme;
use crate::keys::url::Url;
use crate::keys::url::warn_of_plain_text;
use crate::stream::Destination;
use crate::stream::http;
use crate::stream::mqtt;
use std::rc::Rc;

/// The keys; none if one that it needs is wrong or not there.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Rc<dyn Destination>> {
    let text = reader.required("url", "url = \"mqtts://thingsboard.example.com\"");
    let text = text.as_ref();
    let is_web = text.is_some_and(|text| text.value.starts_with("http"));
    let url = text.and_then(|text| reader.parse(text, |text| url(text, is_web)));
    let token = reader.required("token", "token = \"${file:/etc/weir/thingsboard.token}\"");
    let token = token.and_then(|text| reader.parse(&text, self::token));
    let mode = mode(reader, is_web);
    let url = url?;
    if !url.tls {
        warn_of_plain_text(reader, &url.target);
    }
    let (target, tls, prefix) = (url.target, url.tls, url.path.trim_end_matches('/'));
    let prefix = prefix.to_owned();
    let (token, mode) = (token?, mode?);
    Some(match is_web {
        true => Rc::new(ThingsBoardHttp {
            target,
            tls,
            prefix,
            token,
        }),
        false => Rc::new(ThingsBoard {
            target,
            tls,
            token,
            mode,
        }),
    })
}

/// The server; by HTTP it may stand behind a path.
fn url(text: &str, is_web: bool) -> Result<Url<'_>, ValueError> {
    let url = url::parse(text, &SCHEMES)?;
    let at = url.path_at..text.len();
    if url.user.is_some() {
        return Err(ValueError::new("the URL has a user").hint("the login is `token`"));
    }
    if url.path.contains("/api/") {
        let error = ValueError::new("the path of the API is added here").at(at);
        return Err(error.hint("write the URL of the server, and `token` for that of its path"));
    }
    if url.path.contains('?') || !is_web && !matches!(url.path, "" | "/") {
        let error = ValueError::new("the URL of the server has nothing behind the port").at(at);
        return Err(error.hint("write it like `mqtts://thingsboard.example.com`"));
    }
    Ok(url)
}

/// An access token, as it can stand in a path.
fn token(text: &str) -> Result<String, ValueError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    match text.is_empty() || !text.bytes().all(fits) {
        true => Err(ValueError::new("not an access token")
            .hint("copy it from the credentials of the device: letters, digits, `-`, `.`, `_`")),
        false => Ok(text.to_owned()),
    }
}

/// `mode`, and the keys that only a gateway has.
fn mode(reader: &mut Reader<'_>, is_web: bool) -> Option<Mode> {
    let modes = [("gateway", false), ("device", true)];
    let written = reader.choice("mode", &modes);
    let device = reader.parsed("device", |text| template(text, 0));
    let profile = reader.parsed("profile", profile);
    let hint = "write `mqtt://` or `mqtts://` in `url`, or `mode = \"device\"`";
    if is_web && written == Some(false) {
        reader.error(
            reader.value_place("mode"),
            "by HTTP there is no gateway",
            hint,
        );
    }
    if !(is_web || written == Some(true)) {
        let is_right = |key, is_there: bool| reader.has(key) == is_there;
        let is_whole = is_right("device", device.is_some());
        let is_whole = is_whole && is_right("profile", profile.is_some());
        return is_whole.then_some(Mode::Gateway { device, profile });
    }
    for key in ["device", "profile"] {
        if reader.has(key) {
            let message = format!("`{key}` is of a gateway, and this is one device");
            let hint = match is_web {
                true => format!("leave `{key}` out, or write `mqtts://` in `url`"),
                false => format!("leave `{key}` out, or write `mode = \"gateway\"`"),
            };
            reader.error(reader.place_of(key), message, hint);
        }
    }
    Some(Mode::Device)
}

/// The name of a profile of devices.
fn profile(text: &str) -> Result<String, ValueError> {
    match text.is_empty() || text.chars().any(char::is_control) {
        true => {
            Err(ValueError::new("not the name of a profile").hint("write `profile = \"tracker\"`"))
        }
        false => Ok(text.to_owned()),
    }
}

/// Schemes that are spoken.
const SCHEMES: [Scheme; 4] = {
    let ([mqtts, mqtt], [https, http]) = (mqtt::SCHEMES, http::plain::SCHEMES);
    [mqtts, mqtt, https, http]
};
