//! The keys of `google-pubsub`, and the file of a service account.

use super::Account;
use super::GooglePubsub;
use crate::keys::context::ValueError;
use crate::keys::named::Named;
use crate::keys::reader::Reader;
use crate::keys::text::path;
use crate::keys::url;
use crate::net::Target;
use crate::stream::jwt::Signer;
use crate::template::write_escaped;
use serde::Deserialize;
use std::rc::Rc;

/// The keys; none if one that it needs is wrong or not there.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<GooglePubsub> {
    let topic = reader.required("topic", "topic = \"projects/PROJECT/topics/TOPIC\"");
    let topic = topic.and_then(|text| reader.parse(&text, self::topic));
    let account = credentials(reader);
    let ordering = reader.flag("ordering");
    let endpoint = reader.parsed("endpoint", url::https_host);
    let usual = || Target {
        host: HOST.to_owned(),
        port: 443,
    };
    let target = endpoint.or_else(|| (!reader.has("endpoint")).then(usual));
    Some(GooglePubsub {
        target: target?,
        path: topic?,
        account: Rc::new(account?),
        ordering: ordering.unwrap_or(true),
    })
}

/// The path of requests to a topic.
fn topic(text: &str) -> Result<String, ValueError> {
    let hint = "write it like `projects/PROJECT/topics/TOPIC`";
    let parts: Vec<&str> = text.split('/').collect();
    let &["projects", project, "topics", topic] = parts.as_slice() else {
        return Err(ValueError::new("not the whole name of a topic").hint(hint));
    };
    let fits = |part: &str, signs: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || signs.contains(c);
        part.starts_with(|c: char| c.is_ascii_alphanumeric()) && part.chars().all(fits)
    };
    if topic.contains(['{', '}']) {
        let error = ValueError::new("there is one topic for all messages");
        return Err(error.hint("subscriptions can filter by the attribute `ident` instead"));
    }
    if !fits(project, "-.:") || !fits(topic, "-._~+%") || !(3..=255).contains(&topic.len()) {
        return Err(ValueError::new("a topic or a project cannot be called so").hint(hint));
    }
    let mut path = "/v1/projects/".to_owned();
    write_escaped(project, &mut path);
    path.push_str("/topics/");
    write_escaped(topic, &mut path);
    path.push_str(":publish");
    Ok(path)
}

/// `credentials`: what is in that file; what is wrong with it is noted, and nothing of it shown.
fn credentials(reader: &mut Reader<'_>) -> Option<Account> {
    let text = reader.required("credentials", "credentials = \"/etc/weir/google.json\"")?;
    let file = reader.parse(&text, path)?;
    let context = reader.context();
    let read = context.environment.read_stored(&file, FILE_MAX);
    let account = read.map_err(|error| error.to_string()).and_then(|bytes| {
        let place = reader.value_place("credentials");
        context.name(Named::Read(file.clone(), place));
        account(&bytes)
    });
    let hint = "make a key of a service account (JSON) in Google's console, and save that file";
    let noted = account.map_err(|why| {
        let message = format!("{}: {why}", file.display());
        context.wrong(&text, ValueError::new(message).hint(hint));
    });
    noted.ok()
}

/// The account whose key a file is.
///
/// # Errors
/// In words without anything of the file but what it says of its type.
pub(super) fn account(bytes: &[u8]) -> Result<Account, String> {
    #[derive(Deserialize)]
    struct File {
        r#type: Option<String>,
        private_key: Option<String>,
        private_key_id: Option<String>,
        client_email: Option<String>,
    }
    let file: File = serde_json::from_slice(bytes).map_err(|_| "it is no JSON object")?;
    match file.r#type.as_deref() {
        Some("service_account") => {}
        Some("authorized_user") => {
            return Err("it is the login of a person, not the key of a service account".into());
        }
        Some("external_account") => {
            return Err("it leads to a login elsewhere, and is no key of a service account".into());
        }
        _ => return Err("its `type` is not `service_account`".into()),
    }
    let lacks = |name: &str| format!("it has no `{name}`");
    let email = file.client_email.ok_or_else(|| lacks("client_email"))?;
    let pem = file.private_key.ok_or_else(|| lacks("private_key"))?;
    let key_id = file.private_key_id.ok_or_else(|| lacks("private_key_id"))?;
    let signer = Signer::new(&pem, &key_id).map_err(|why| format!("its `private_key`: {why}"))?;
    Ok(Account { email, signer })
}

/// Where Google is spoken to.
const HOST: &str = "pubsub.googleapis.com";

/// Bytes of such a file: there is none as long.
const FILE_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_key_of_an_account_is_told_without_showing_it() {
        let pem = "-----BEGIN PRIVATE KEY-----\\nc2VjcmV0\\n-----END PRIVATE KEY-----\\n";
        let of_account = |more: &str| format!(r#"{{"type":"service_account"{more}}}"#);
        for (file, wanted) in [
            ("secret".to_owned(), "it is no JSON object"),
            (
                r#"{"type":"authorized_user","refresh_token":"secret"}"#.into(),
                "of a person",
            ),
            (r#"{"type":"external_account"}"#.into(), "a login elsewhere"),
            (
                r#"{"type":"secret"}"#.into(),
                "`type` is not `service_account`",
            ),
            (of_account(""), "no `client_email`"),
            (
                of_account(r#","client_email":"secret""#),
                "no `private_key`",
            ),
            (
                of_account(r#","client_email":"secret","private_key":"secret""#),
                "no `private_key_id`",
            ),
            (
                of_account(&format!(
                    r#","client_email":"e","private_key_id":"k","private_key":"{pem}""#
                )),
                "its `private_key`: ",
            ),
        ] {
            let why = account(file.as_bytes()).unwrap_err();
            assert!(why.contains(wanted), "{file}: {why}");
            assert!(
                !why.contains("secret") && !why.contains("c2VjcmV0"),
                "{why}"
            );
        }
    }

    #[test]
    fn a_topic_is_written_as_google_shows_it() {
        let path = topic("projects/example.com:p-1/topics/a~b%20+").unwrap();
        assert_eq!(
            path,
            "/v1/projects/example.com%3Ap-1/topics/a~b%2520%2B:publish"
        );
        for wrong in [
            "t",
            "projects/p/subscriptions/s",
            "projects/p/topics/ab",
            "projects//topics/abc",
            "projects/p/topics/.bc",
            "projects/p/topics/a/b",
            "projects/p/topics/a b c",
        ] {
            assert!(topic(wrong).is_err(), "{wrong}");
        }
    }
}
