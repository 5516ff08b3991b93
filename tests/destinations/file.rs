//! `file`: a folder that is there or not, as of a card that is taken out.

use crate::contract::numbers;
use crate::row::Counterpart;
use crate::row::Has;
use crate::row::Row;
use crate::weir::Folder;
use std::fs;

pub(crate) const ROW: Row = Row {
    name: "file",
    start: || Box::new(Card::start()),
    login: Has::No("a file asks nobody who he is"),
    refusal: Has::No("a file takes every message"),
    limit: Has::No("a message that is larger than `max_size` goes into a file of its own"),
    login_seen: Has::No("a file asks nobody"),
};

struct Card(Folder);

impl Card {
    fn start() -> Self {
        let folder = Folder::new("card");
        fs::create_dir(folder.join("card")).unwrap();
        Self(folder)
    }
}

impl Counterpart for Card {
    fn keys(&self) -> String {
        format!("path = \"{}\"", self.0.join("card/lines-{date}.jsonl").display())
    }

    fn leave(&mut self) {
        fs::rename(self.0.join("card"), self.0.join("away")).unwrap();
    }

    fn come_back(&mut self) {
        fs::rename(self.0.join("away"), self.0.join("card")).unwrap();
    }

    /// Of one day, or of two.
    fn taken(&self) -> Vec<u64> {
        let entries = fs::read_dir(self.0.join("card")).into_iter().flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let texts = paths.iter().map(|path| fs::read_to_string(path).unwrap());
        texts.flat_map(|text| numbers(&text)).collect()
    }
}
