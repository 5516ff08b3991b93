//! The text of the files that were read, and places in it.
//!
//! Knows no TOML: a place is a range of bytes in one of the files.

use std::ops::Range;
use std::path::PathBuf;

/// The files, in the order in which they were read.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    files: Vec<Source>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct Source {
    /// As it was named.
    pub(crate) path: PathBuf,
    /// None: it could not be read.
    pub(crate) text: Option<String>,
    /// What must not be shown, in bytes of the text; in order once it is settled.
    pub(crate) secrets: Vec<Range<usize>>,
}

/// A place in a file, ordered as they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Which file.
    pub(crate) file: usize,
    /// Its first byte.
    pub(crate) start: usize,
    /// The byte behind it.
    pub(crate) end: usize,
}

impl Source {
    /// The first secret that ends behind `at`, and which one it is.
    pub(crate) fn secret_from(&self, at: usize) -> Option<(usize, &Range<usize>)> {
        let index = self.secrets.partition_point(|secret| secret.end <= at);
        self.secrets.get(index).map(|secret| (index, secret))
    }
}

impl Place {
    /// The whole of a file.
    pub(crate) fn file(file: usize) -> Self {
        Self {
            file,
            start: 0,
            end: 0,
        }
    }

    /// A place in `file`.
    pub(crate) fn new(file: usize, span: Range<usize>) -> Self {
        Self {
            file,
            start: span.start,
            end: span.end.max(span.start),
        }
    }
}

impl Sources {
    /// Adds a file; returns its number.
    pub(crate) fn add(&mut self, path: PathBuf, text: Option<String>) -> usize {
        self.files.push(Source {
            path,
            text,
            secrets: Vec::new(),
        });
        self.files.len() - 1
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.files.len()
    }

    /// The file of this number.
    pub(crate) fn file(&self, file: usize) -> Option<&Source> {
        self.files.get(file)
    }

    /// Hides a place in all that is shown.
    pub(crate) fn hide(&mut self, place: Place) {
        if let Some(source) = self.files.get_mut(place.file) {
            source.secrets.push(place.start..place.end);
        }
    }

    /// Puts what is hidden of a file in order, each byte once.
    pub(crate) fn settle(&mut self, file: usize) {
        let Some(source) = self.files.get_mut(file) else {
            return;
        };
        source.secrets.retain(|secret| !secret.is_empty());
        source
            .secrets
            .sort_by_key(|secret| (secret.start, secret.end));
        source.secrets.dedup_by(|next, last| {
            let overlap = next.start < last.end;
            if overlap {
                last.end = last.end.max(next.end);
            }
            overlap
        });
    }

    /// Whether something in a place is hidden.
    pub(crate) fn hides(&self, place: Place) -> bool {
        self.file(place.file).is_some_and(|source| {
            let next = source.secret_from(place.start);
            next.is_some_and(|(_, secret)| secret.start < place.end)
        })
    }

    /// What is hidden in a place, without quotes around it.
    pub(crate) fn hidden(&self, place: Place) -> Vec<String> {
        let Some(source) = self.file(place.file) else {
            return Vec::new();
        };
        let first = source.secret_from(place.start).map(|(index, _)| index);
        let behind = source.secrets.get(first.unwrap_or(usize::MAX)..);
        let within = behind.into_iter().flatten();
        let within = within.take_while(|secret| secret.start < place.end);
        let found = within.map(|secret| {
            let text = self.text(Place {
                start: secret.start.max(place.start),
                end: secret.end.min(place.end),
                ..place
            });
            text.trim_matches(['"', '\'']).to_owned()
        });
        found.filter(|text| !text.is_empty()).collect()
    }

    /// The bytes of a place; nothing where there is no such place.
    pub(crate) fn text(&self, place: Place) -> &str {
        let text = self
            .file(place.file)
            .and_then(|source| source.text.as_deref());
        text.and_then(|text| text.get(place.start..place.end))
            .unwrap_or_default()
    }

    /// The text of a place with three stars for each part that is hidden.
    pub(crate) fn censored(&self, place: Place) -> String {
        let (mut text, mut from) = (String::new(), place.start);
        let secrets = self.file(place.file).map(|source| &source.secrets);
        for secret in secrets.into_iter().flatten() {
            let (start, end) = (secret.start.max(place.start), secret.end.min(place.end));
            if start >= end {
                continue;
            }
            text.push_str(self.text(Place {
                start: from,
                end: start,
                ..place
            }));
            text.push_str("***");
            from = end;
        }
        text.push_str(self.text(Place {
            start: from,
            ..place
        }));
        text
    }

    /// The number of the line in which a place begins, from 1.
    pub(crate) fn line(&self, place: Place) -> usize {
        self.text(Place {
            start: 0,
            end: place.start,
            ..place
        })
        .matches('\n')
        .count()
            + 1
    }
}
