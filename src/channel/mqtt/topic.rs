//! Topics: which ones a channel takes, and what their levels say. Knows no packet.
//!
//! `trackers/{ident}/up` is a topic filter (MQTT 3.1.1, 4.7) in which `{ident}` stands for one
//! level, as `+` does; `#` at the end for any number of them.

use std::fmt;

/// Which topics a channel takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// At least one.
    levels: Vec<Level>,
}

/// One level, and what may stand in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    /// This text.
    Text(Box<str>),
    /// Anything.
    Any,
    /// Who sent it.
    Ident,
    /// Anything, and any number of levels. Only at the end.
    Rest,
}

/// What a topic says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// What stands in the place of `{ident}`, if there is one.
    pub(super) ident: Option<&'a str>,
    /// What the last level said that is not the ident, or all that `#` stands for.
    last: &'a str,
}

/// Why a text is none that can be taken or subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTopic {
    /// Empty, or longer than a packet can say.
    Length,
    /// A character that no topic has.
    Character(char),
    /// A wildcard or a brace beside other characters.
    Level,
    /// `#` before the end.
    Rest,
    /// More than one level is the ident.
    Idents,
    /// A subscription that is shared with others.
    Shared,
}

impl Topic {
    /// Reads what a configuration says.
    ///
    /// # Errors
    /// See [`InvalidTopic`].
    pub fn new(text: &str) -> Result<Self, InvalidTopic> {
        if text.is_empty() || text.len() > TOPIC_MAX {
            return Err(InvalidTopic::Length);
        }
        if let Some(bad) = text.chars().find(|c| c.is_control()) {
            return Err(InvalidTopic::Character(bad));
        }
        let levels: Vec<Level> = text.split('/').map(level).collect::<Result<_, _>>()?;
        let before = levels.split_last().map_or(&[][..], |(_, before)| before);
        if before.contains(&Level::Rest) {
            return Err(InvalidTopic::Rest);
        }
        if levels
            .iter()
            .filter(|level| **level == Level::Ident)
            .count()
            > 1
        {
            return Err(InvalidTopic::Idents);
        }
        if text.starts_with("$share/") {
            return Err(InvalidTopic::Shared);
        }
        Ok(Self { levels })
    }

    /// What is subscribed to: `+` in place of `{ident}`.
    #[must_use]
    pub fn filter(&self) -> String {
        let levels: Vec<&str> = self.levels.iter().map(Level::as_filter).collect();
        levels.join("/")
    }

    /// What a topic says; none if it is not taken.
    pub(super) fn find<'a>(&self, topic: &'a str) -> Option<Found<'a>> {
        let hidden = topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Text(_)));
        if hidden {
            return None;
        }
        let (mut found, mut given) = (Found::default(), Some(topic));
        for level in &self.levels {
            if *level == Level::Rest {
                found.last = given.take().unwrap_or_default();
                break;
            }
            let all = given?;
            let (text, rest) = match all.split_once('/') {
                Some((text, rest)) => (text, Some(rest)),
                None => (all, None),
            };
            given = rest;
            match level {
                Level::Text(wanted) if **wanted != *text => return None,
                Level::Ident => {
                    found = Found {
                        ident: Some(text),
                        last: "",
                    }
                }
                Level::Text(_) | Level::Any | Level::Rest => found.last = text,
            }
        }
        given.is_none().then_some(found)
    }
}

impl Found<'_> {
    /// What a payload without names is called: as the topic says, if that can be a name.
    pub(super) fn name(&self) -> String {
        let name = self.last.replace('/', ".");
        let is_name = !matches!(&*name, "" | "ident" | "timestamp");
        match is_name && !name.contains(char::is_control) {
            true => name,
            false => PAYLOAD.to_owned(),
        }
    }
}

impl Level {
    fn as_filter(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Any | Self::Ident => "+",
            Self::Rest => "#",
        }
    }
}

impl Default for Topic {
    /// All of them.
    fn default() -> Self {
        Self {
            levels: vec![Level::Rest],
        }
    }
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(f, "a topic has 1 to {TOPIC_MAX} bytes"),
            Self::Character(bad) => write!(f, "a topic must not contain {bad:?}"),
            Self::Level => f.write_str("`+`, `#` and `{ident}` are whole levels, between slashes"),
            Self::Rest => f.write_str("`#` stands at the end only"),
            Self::Idents => f.write_str("`{ident}` stands in one place only"),
            Self::Shared => f.write_str("a subscription cannot be shared: weir must see all"),
        }
    }
}

impl std::error::Error for InvalidTopic {}

fn level(text: &str) -> Result<Level, InvalidTopic> {
    match text {
        "+" => Ok(Level::Any),
        "#" => Ok(Level::Rest),
        "{ident}" => Ok(Level::Ident),
        _ if text.contains(['+', '#', '{', '}']) => Err(InvalidTopic::Level),
        _ => Ok(Level::Text(text.into())),
    }
}

/// Longest topic, in bytes: its length is 16 bits long.
const TOPIC_MAX: usize = 65_535;

/// What a payload is called whose topic gives it no name.
const PAYLOAD: &str = "payload";

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, topic: &str) -> Option<(Option<String>, String)> {
        let pattern = Topic::new(pattern).unwrap();
        let found = pattern.find(topic);
        found.map(|found| (found.ident.map(str::to_owned), found.name()))
    }

    #[test]
    fn topics_say_who_sent_it_and_what_a_bare_value_is() {
        for (pattern, topic, ident, name) in [
            ("trackers/{ident}/up", "trackers/352/up", Some("352"), "up"),
            ("trackers/{ident}", "trackers/352", Some("352"), "payload"),
            ("{ident}/+", "352/speed", Some("352"), "speed"),
            ("{ident}/+/raw", "352/speed/raw", Some("352"), "raw"),
            ("a/{ident}/#", "a/352/din/1", Some("352"), "din.1"),
            ("a/{ident}/#", "a/352", Some("352"), "payload"),
            ("a/{ident}/#", "a//x", Some(""), "x"),
            ("+/{ident}/x", "/352/x", Some("352"), "x"),
            ("#", "din/1", None, "din.1"),
            ("#", "a/timestamp", None, "a.timestamp"),
            ("+", "timestamp", None, "payload"),
            ("a/+", "a/", None, "payload"),
            ("a/+", "a/\u{7}", None, "payload"),
            ("$gateway/+", "$gateway/t", None, "t"),
        ] {
            let expected = Some((ident.map(str::to_owned), name.to_owned()));
            assert_eq!(found(pattern, topic), expected, "{pattern} {topic}");
        }
    }

    #[test]
    fn other_topics_are_not_taken() {
        for (pattern, topic) in [
            ("trackers/{ident}/up", "trackers/352/down"),
            ("trackers/{ident}/up", "trackers/352"),
            ("trackers/{ident}/up", "trackers/352/up/1"),
            ("trackers/{ident}/up", "trackers/352/up/"),
            ("trackers/{ident}/up", "/trackers/352/up"),
            ("a/{ident}/#", "a"),
            ("+", ""),
            ("#", "$SYS/uptime"),
            ("+/uptime", "$SYS/uptime"),
        ] {
            let taken = found(pattern, topic).is_some();
            assert_eq!(taken, (pattern, topic) == ("+", ""), "{pattern} {topic}");
        }
    }

    #[test]
    fn a_filter_has_a_wildcard_where_the_ident_stands() {
        for (pattern, filter) in [
            ("trackers/{ident}/up", "trackers/+/up"),
            ("+/{ident}/#", "+/+/#"),
            ("/a//b", "/a//b"),
        ] {
            assert_eq!(Topic::new(pattern).unwrap().filter(), filter);
        }
        assert_eq!(Topic::default().filter(), "#");
    }

    #[test]
    fn what_is_no_filter_is_none() {
        for (pattern, error) in [
            ("", InvalidTopic::Length),
            ("a/\n", InvalidTopic::Character('\n')),
            ("a/truck-{ident}", InvalidTopic::Level),
            ("a/{name}", InvalidTopic::Level),
            ("a+/b", InvalidTopic::Level),
            ("a/##", InvalidTopic::Level),
            ("#/a", InvalidTopic::Rest),
            ("{ident}/{ident}", InvalidTopic::Idents),
            ("$share/g/a", InvalidTopic::Shared),
        ] {
            assert_eq!(Topic::new(pattern), Err(error), "{pattern}");
        }
        assert!(Topic::new(&"a".repeat(TOPIC_MAX + 1)).is_err());
    }
}
