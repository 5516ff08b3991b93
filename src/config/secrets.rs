//! What a table of the configuration holds of secrets, for those who show raw traffic.

use crate::keys::context::Context;
use crate::keys::secrets::is_secret;
use crate::keys::secrets::login_of_url;
use crate::keys::secrets::looks_like_token;
use crate::keys::secrets::query_of_url;
use crate::keys::secrets::tokens_of_path;
use crate::keys::tree::Node;
use crate::keys::tree::Table;
use crate::keys::tree::Tree;
use crate::keys::url;

/// The secrets of a channel or stream, as they are once every reference is replaced.
pub(super) fn of(context: &Context<'_>, table: &Table) -> Vec<String> {
    let mut found = Found {
        context,
        secrets: Vec::new(),
    };
    found.in_table(table, Trust::ByKey);
    found.secrets
}

/// What tells a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The key that it stands behind.
    ByKey,
    /// It looks like a token: names of users are none, and brokers take one in their place.
    ByLook,
    /// All is one.
    Nothing,
}

struct Found<'a> {
    context: &'a Context<'a>,
    secrets: Vec<String>,
}

impl Found<'_> {
    fn in_table(&mut self, table: &Table, trust: Trust) {
        for entry in &table.entries {
            let key = entry.key.as_str();
            let inner = match trust {
                // the names of headers are told apart by themselves
                Trust::ByKey if key == "headers" => Trust::ByKey,
                Trust::ByKey if matches!(key, "user" | "username") => Trust::ByLook,
                Trust::ByKey if is_secret(key) => Trust::Nothing,
                trust => trust,
            };
            self.in_node(&entry.node, inner);
        }
    }

    fn in_node(&mut self, node: &Node, trust: Trust) {
        match &node.tree {
            Tree::Table(table) => self.in_table(table, trust),
            Tree::List(list) => list.iter().for_each(|node| self.in_node(node, trust)),
            _ => {
                let text = self.context.quiet_text(node);
                text.into_iter().for_each(|text| self.in_text(text, trust));
            }
        }
    }

    fn in_text(&mut self, text: String, trust: Trust) {
        match trust {
            Trust::ByKey => self.in_url(&text),
            Trust::ByLook if !looks_like_token(&text) => {}
            Trust::ByLook | Trust::Nothing => {
                let mut schemes = SCHEMES.iter();
                let token = schemes.find_map(|scheme| text.strip_prefix(scheme));
                self.secrets.push(token.unwrap_or(&text).to_owned());
            }
        }
    }

    fn in_url(&mut self, url: &str) {
        if !url.contains("://") {
            return;
        }
        let login = login_of_url(url, true).and_then(|at| url.get(at));
        if let Some((user, password)) = login.map(|it| it.split_once(':').unwrap_or((it, ""))) {
            self.in_part(password, Trust::Nothing);
            self.in_part(user, Trust::ByLook);
        }
        let query = query_of_url(url).and_then(|at| url.get(at));
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or(("key", pair));
            let trust = match is_secret(name) {
                true => Trust::Nothing,
                false => Trust::ByLook,
            };
            self.in_part(value, trust);
        }
        for at in tokens_of_path(url) {
            self.in_part(url.get(at).unwrap_or_default(), Trust::Nothing);
        }
    }

    /// A part of a URL, as it stands and as it means.
    fn in_part(&mut self, part: &str, trust: Trust) {
        self.in_text(part.to_owned(), trust);
        let decoded = url::decode(part).filter(|decoded| decoded != part);
        decoded
            .into_iter()
            .for_each(|part| self.in_text(part, trust));
    }
}

/// What stands before a secret in `Authorization` and may be seen.
const SCHEMES: [&str; 3] = ["Bearer ", "Basic ", "Token "];
