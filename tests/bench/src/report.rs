//! What the parts found: tables, whether what was promised holds, and the same as JSON.

use crate::json::Json;
use crate::table::Table;
use crate::table::short;
use std::fs;
use std::io;
use std::path::Path;

/// All results so far.
#[derive(Default)]
pub struct Report {
    text: String,
    members: Vec<(String, Json)>,
    /// What may go into a page, by name.
    blocks: Vec<(String, String)>,
    broken: usize,
    held: usize,
}

/// What a figure may be.
#[derive(Clone, Copy)]
pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Report {
    /// Says something, and keeps it.
    pub fn say(&mut self, text: &str) {
        println!("{text}");
        self.text += text;
        self.text.push('\n');
    }

    pub fn table(&mut self, name: &str, table: &Table) {
        let text = table.text();
        self.say(&format!("\n{}\n\n{text}", table.title));
        self.blocks.push((name.into(), text));
        let rows = table.rows.iter().map(|row| {
            let cells = table.columns.iter().zip(row);
            let members = cells.map(|(column, cell)| (column.clone(), value(cell)));
            Json::Object(members.collect())
        });
        self.keep(name, Json::List(rows.collect()));
    }

    /// Keeps what is in no table.
    pub fn keep(&mut self, name: &str, value: Json) {
        self.members.push((name.into(), value));
    }

    /// Whether a promise holds.
    pub fn judge(&mut self, promise: &str, measured: f64, bound: Bound) {
        let (holds, words) = match bound {
            Bound::AtMost(most) => (measured <= most, format!("at most {}", short(most))),
            Bound::AtLeast(least) => (measured >= least, format!("at least {}", short(least))),
        };
        let word = if holds { "ok " } else { "NOT" };
        self.held += usize::from(holds);
        self.broken += usize::from(!holds);
        self.say(&format!("{word} {promise}: {} ({words})", short(measured)));
    }

    /// Says what the figures are of, and on which day they are taken.
    pub fn machine(&mut self, text: &str) {
        self.say(text);
        self.keep("machine", Json::text(text));
        self.blocks.push(("machine".into(), format!("{text}\n")));
    }

    /// Puts what there is into a page, each between `<!-- NAME -->` and `<!-- end -->`.
    pub fn record(&self, page: &Path) -> io::Result<()> {
        let mut text = fs::read_to_string(page)?;
        for (name, block) in &self.blocks {
            let mark = format!("<!-- {name} -->\n");
            let Some((before, after)) = text.split_once(&mark) else {
                continue;
            };
            let rest = after
                .split_once("<!-- end -->")
                .map_or("", |(_, rest)| rest);
            text = format!("{before}{mark}{block}<!-- end -->{rest}");
        }
        fs::write(page, text)
    }

    /// Writes all into a folder; how many promises were kept and how many not.
    pub fn finish(self, folder: &Path) -> io::Result<(usize, usize)> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.txt"), self.text)?;
        fs::write(
            folder.join("report.json"),
            Json::Object(self.members).pretty(),
        )?;
        Ok((self.held, self.broken))
    }
}

fn value(cell: &str) -> Json {
    match cell.replace(',', "").parse() {
        Ok(number) => Json::Number(number),
        Err(_) => Json::text(cell),
    }
}
