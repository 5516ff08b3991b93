//! Messages as they pass: what is asked for, and the text of the answer.

use std::num::ParseIntError;

/// Which messages are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look<'a> {
    /// Only those with a greater id, oldest first; without it the last ones.
    pub after: Option<u64>,
    /// At most so many.
    pub count: usize,
    /// Only those of this channel.
    pub channel: Option<&'a str>,
    /// Only those that this stream wants.
    pub stream: Option<&'a str>,
    /// Only those of this ident, or of those that fit the pattern.
    pub ident: Option<&'a str>,
}

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Each with its id, as a JSON object.
    pub messages: Vec<(u64, Box<str>)>,
    /// What comes later has a greater id.
    pub next: u64,
    /// Messages after `after` that are not kept any more, whoever they are of; none: nobody looked
    /// for a time, and it is not known.
    pub missed: Option<u64>,
}

impl<'a> Look<'a> {
    /// Reads the pairs of a query.
    ///
    /// # Errors
    /// When a number is none.
    pub(super) fn read(query: &'a [(String, String)]) -> Result<Self, ParseIntError> {
        let mut look = Self {
            count: COUNT,
            ..Self::default()
        };
        for (key, value) in query {
            match key.as_str() {
                "after" => look.after = Some(value.parse()?),
                "count" => look.count = value.parse()?,
                "channel" => look.channel = Some(value),
                "stream" => look.stream = Some(value),
                "ident" => look.ident = Some(value),
                _ => {}
            }
        }
        Ok(look)
    }
}

impl Seen {
    /// `{"result":[{"id":1,"message":{…}}],"next":1,"missed":0}`, its messages as they are.
    pub(super) fn text(&self) -> String {
        let mut text = "{\"result\":[".to_owned();
        for (index, (id, message)) in self.messages.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            text.push_str(&format!("{comma}{{\"id\":{id},\"message\":{message}}}"));
        }
        let missed = self.missed.map_or("null".to_owned(), |n| n.to_string());
        text + &format!("],\"next\":{},\"missed\":{missed}}}\n", self.next)
    }
}

/// Messages of one answer where nothing is said.
const COUNT: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_json_and_keeps_the_messages_as_they_are() {
        let one = "{\"b\":1.0,\"a\":[]}";
        let mut seen = Seen {
            messages: vec![(3, one.into()), (7, "{}".into())],
            next: 9,
            missed: None,
        };
        let start =
            "{\"result\":[{\"id\":3,\"message\":{\"b\":1.0,\"a\":[]}},{\"id\":7,\"message\":{}}]";
        assert_eq!(
            seen.text(),
            format!("{start},\"next\":9,\"missed\":null}}\n")
        );
        (seen.messages, seen.missed) = (Vec::new(), Some(2));
        assert_eq!(seen.text(), "{\"result\":[],\"next\":9,\"missed\":2}\n");
    }
}
