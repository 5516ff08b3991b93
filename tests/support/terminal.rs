//! What a program shows on a terminal, and that as a picture.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

/// Runs a line of the shell on a terminal of its own; what it showed.
pub(crate) fn shown(folder: &Path, line: &str) -> String {
    let mut command = Command::new("script");
    command
        .args(["-q", "-c", line, "/dev/null"])
        .current_dir(folder);
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.replace('\r', "")
}

/// The same without colours.
pub(crate) fn plain(shown: &str) -> String {
    let mut lines = String::new();
    for line in shown.lines() {
        lines.extend(spans(line).into_iter().map(|span| span.text));
        lines.push('\n');
    }
    lines
}

/// A picture of a terminal in which `typed` was typed, and which showed this: SVG. Its ground is
/// its own, so it can be read on any; each piece is stretched to its cells, whatever the font is.
pub(crate) fn picture(typed: &str, shown: &str) -> String {
    let prompt = format!("\x1b[32m$\x1b[0m \x1b[1m{typed}\x1b[0m");
    let lines: Vec<&str> = [prompt.as_str()]
        .into_iter()
        .chain(shown.trim_end().lines())
        .collect();
    let columns = lines
        .iter()
        .map(|line| spans(line).iter().map(Span::len).sum::<usize>());
    let columns = columns.max().unwrap_or(0);
    let (width, height) = (
        columns * CELL / 10 + 2 * EDGE,
        lines.len() * LINE + 2 * EDGE,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n<style>\n\
         text {{ font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; \
         fill: #d7dde4; white-space: pre }}\n\
         .bold {{ font-weight: bold; fill: #fff }}\n.dim {{ fill: #929ba5 }}\n\
         .red {{ font-weight: bold; fill: #ff8078 }}\n.green {{ fill: #6fdd82 }}\n\
         .yellow {{ fill: #e8bc4a }}\n.cyan {{ fill: #74c7ec }}\n</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#1a1f26\"/>\n"
    );
    for (row, line) in lines.iter().enumerate() {
        let (y, mut column) = (EDGE + row * LINE + LINE * 3 / 4, 0);
        for span in spans(line) {
            let blank = span.text.len() - span.text.trim_start().len();
            let text = span.text.trim();
            let (at, len) = (column + blank, text.chars().count());
            column += span.len();
            if len > 0 {
                let (x, wide) = (EDGE * 10 + at * CELL, len * CELL);
                let class = span
                    .class
                    .map_or(String::new(), |it| format!(" class=\"{it}\""));
                let (x, wide, text) = (tenths(x), tenths(wide), escaped(text));
                let piece = format!("x=\"{x}\" y=\"{y}\" textLength=\"{wide}\"");
                writeln!(
                    svg,
                    "<text {piece} xml:space=\"preserve\"{class}>{text}</text>"
                )
                .unwrap();
            }
        }
    }
    svg + "</svg>\n"
}

/// A piece of a line in one style.
struct Span {
    class: Option<&'static str>,
    text: String,
}

impl Span {
    fn len(&self) -> usize {
        self.text.chars().count()
    }
}

fn spans(line: &str) -> Vec<Span> {
    let mut pieces = line.split("\x1b[");
    let first = pieces.next().unwrap_or_default();
    let first = Span {
        class: None,
        text: first.to_owned(),
    };
    let rest = pieces.map(|piece| {
        let (code, text) = piece.split_once('m').unwrap_or(("", piece));
        let class = match code {
            "1" => Some("bold"),
            "2" => Some("dim"),
            "1;31" => Some("red"),
            "32" => Some("green"),
            "33" => Some("yellow"),
            "36" => Some("cyan"),
            _ => None,
        };
        let text = text.to_owned();
        Span { class, text }
    });
    [first].into_iter().chain(rest).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn tenths(of: usize) -> String {
    format!("{}.{}", of / 10, of % 10)
}

/// Of a cell, in tenths of a pixel: as wide as the letters of DejaVu Sans Mono are.
const CELL: usize = 84;
/// Pixels from one line to the next.
const LINE: usize = 19;
/// Pixels around all.
const EDGE: usize = 14;
