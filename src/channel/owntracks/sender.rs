//! Who sent a report: what its head, its topic and its login say.

use super::Keys;
use crate::channel::users::knows;
use crate::wire::form::pairs;
use crate::wire::http::Head;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// What of a sender is its ident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentFrom {
    /// User and device with `-` between them; else the tracker's id; else who has logged in.
    #[default]
    UserDevice,
    /// The device alone.
    Device,
    /// The user alone; else who has logged in.
    User,
    /// The tracker's id, which has two characters as a rule.
    TrackerId,
}

/// The words of `ident_from`.
pub(super) const WORDS: [(&str, IdentFrom); 4] = [
    ("user-device", IdentFrom::UserDevice),
    ("device", IdentFrom::Device),
    ("user", IdentFrom::User),
    ("tid", IdentFrom::TrackerId),
];

/// What a head says of who sends; what it does not say is empty.
#[derive(Debug, Default)]
pub struct Sender {
    /// In `X-Limit-U` and `X-Limit-D`, else in the query.
    user: String,
    device: String,
    /// Of Basic authentication.
    login: String,
    password: String,
}

impl Sender {
    pub(super) fn of(head: &Head<'_>) -> Self {
        let of_header = |name| head.header(name).unwrap_or_default().to_owned();
        let (user, device) = (of_header("x-limit-u"), of_header("x-limit-d"));
        let (user, device) = match user.is_empty() && device.is_empty() {
            true => of_query(head.query().unwrap_or_default()),
            false => (user, device),
        };
        let (login, password) = basic(head).unwrap_or_default();
        Self {
            user,
            device,
            login,
            password,
        }
    }

    pub(super) fn is_one_of(&self, users: &[(String, String)]) -> bool {
        knows(users, &self.login, &self.password)
    }

    /// The ident of a report with this topic and id. Where there are users, the user in it is who
    /// has logged in.
    ///
    /// # Errors
    /// Why it has none.
    pub(super) fn ident(
        &self,
        topic: &str,
        tid: &str,
        keys: &Keys,
    ) -> Result<String, &'static str> {
        let (user, device) = match of_topic(topic) {
            Some(named) => named,
            None => (self.user.as_str(), self.device.as_str()),
        };
        let [user, device, tid, login] = [user, device, tid, &self.login].map(str::trim);
        let is_bound = !keys.users.is_empty();
        let has_user = matches!(keys.ident_from, IdentFrom::UserDevice | IdentFrom::User);
        if is_bound && has_user && !user.is_empty() && user != login {
            return Err("it is of another user than the login");
        }
        let user_device = match is_bound {
            true => joined(login, first([device, tid])),
            false => first([&joined(user, device), tid, login]).to_owned(),
        };
        let ident = match keys.ident_from {
            IdentFrom::UserDevice => &user_device,
            IdentFrom::Device => device,
            IdentFrom::User => first([user, login]),
            IdentFrom::TrackerId => tid,
        };
        match ident {
            "" => Err("nothing names a device"),
            // what an ident cannot have
            ident => Ok(ident.replace(['/', '+', '#'], "_")),
        }
    }
}

/// With `-` between them, where both are there.
fn joined(user: &str, device: &str) -> String {
    let dash = if user.is_empty() || device.is_empty() {
        ""
    } else {
        "-"
    };
    format!("{user}{dash}{device}")
}

/// The first that is not empty; if all are, that.
fn first<const N: usize>(names: [&str; N]) -> &str {
    let found = names.into_iter().find(|name| !name.is_empty());
    found.unwrap_or_default()
}

/// `owntracks/USER/DEVICE`, with more behind it or not.
fn of_topic(topic: &str) -> Option<(&str, &str)> {
    let mut levels = topic
        .split('/')
        .skip_while(|level| level.is_empty())
        .skip(1);
    let (user, device) = (levels.next()?, levels.next()?);
    (!user.is_empty() && !device.is_empty()).then_some((user, device))
}

/// `u` and `d`.
fn of_query(query: &str) -> (String, String) {
    let fields = pairs(query.as_bytes()).filter_map(Result::ok);
    let mut found = (String::new(), String::new());
    for (name, value) in fields {
        match name.as_str() {
            "u" => found.0 = value,
            "d" => found.1 = value,
            _ => {}
        }
    }
    found
}

/// Name and password.
fn basic(head: &Head<'_>) -> Option<(String, String)> {
    let (scheme, login) = head.header("authorization")?.split_once(' ')?;
    let login = login.trim_ascii();
    let login = BASE64_STANDARD.decode(login).ok()?;
    let login = String::from_utf8(login).ok()?;
    let (name, password) = login.split_once(':')?;
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    is_basic.then(|| (name.to_owned(), password.to_owned()))
}
