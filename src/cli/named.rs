//! What a name is of: only the daemon knows.

use super::client::Client;
use super::client::Trouble;
use crate::api::Status;
use crate::logging::printable;
use crate::spelling::nearest;

/// `streams` or `channels`; `` for a name of `own`.
///
/// # Errors
/// When nothing is called so: then the nearest name is told.
pub(super) fn kind_of(
    client: &Client,
    name: &str,
    own: &[&'static str],
) -> Result<&'static str, Trouble> {
    let status: Vec<Status> = client.ask("GET", "/status", None)?;
    let status = status.into_iter().next().unwrap_or_default();
    let streams = status.streams.iter().map(|stream| stream.name.as_str());
    let channels = status.channels.iter().map(|channel| channel.name.as_str());
    let streams = streams.map(|known| (known, "streams"));
    let channels = channels.map(|known| (known, "channels"));
    let own = own.iter().map(|known| (*known, ""));
    let known: Vec<_> = streams.chain(channels).chain(own).collect();
    match known.iter().find(|(known, _)| *known == name) {
        Some((_, kind)) => Ok(kind),
        None => Err(Trouble::Refused(unknown(name, known.iter().map(|it| it.0)))),
    }
}

fn unknown<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    let hint = match nearest(name, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are `{}`", known.collect::<Vec<_>>().join("`, `")),
    };
    format!(
        "no stream and no channel `{}`\nhint: {hint}",
        printable(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_those_that_are_known() {
        let known = ["cloud", "trackers", "ring"];
        assert!(unknown("cluod", known.into_iter()).ends_with("did you mean `cloud`?"));
        let said = unknown("xyzzyx", known.into_iter());
        assert!(
            said.ends_with("there are `cloud`, `trackers`, `ring`"),
            "{said}"
        );
    }
}
