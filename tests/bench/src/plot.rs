//! Plots as SVG: lines over two logarithmic axes, legible on light and dark ground.

use std::fmt::Write;

/// A plot.
pub struct Plot {
    pub title: String,
    /// What stands on the axes, with units.
    pub across: String,
    pub up: String,
    /// Where lines and numbers stand across; powers of ten without any.
    pub marks: Vec<(f64, String)>,
    pub lines: Vec<Line>,
}

/// Points that belong together.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Around the field: left, right, top, bottom.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 52.0;

/// Hues that can be told apart, also by those who do not see all of them, on white and on black.
const COLOURS: [&str; 5] = ["#0a84c6", "#d9730d", "#3a9a5b", "#b6529f", "#8a8a8a"];

/// Marks, for whom colours are not enough.
const DASHES: [&str; 5] = ["", "7 4", "2 4", "10 3 2 3", "4 2"];

/// From one power of ten to another.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// Takes in all values; `from` and `to` are places in the picture.
    fn new(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64, whole: bool) -> Self {
        let logs = values.filter(|value| *value > 0.0).map(f64::log10);
        let low = logs.clone().fold(f64::INFINITY, f64::min);
        let high = logs.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let (low, high) = match whole {
            true => ((low + 1e-9).floor(), (high - 1e-9).ceil()),
            false => (low, high),
        };
        let high = if high - low < 0.5 { low + 1.0 } else { high };
        Self {
            low,
            high,
            from,
            to,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.max(1e-12).log10() - self.low) / (self.high - self.low);
        self.from + (self.to - self.from) * part
    }

    /// Where lines and numbers are: each power of ten, and 2 and 5 times it where there are few.
    fn marks(&self) -> Vec<f64> {
        let steps: &[f64] = match self.high - self.low {
            decades if decades <= 2.5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let all = decades.flat_map(|decade| steps.iter().map(move |s| s * 10_f64.powi(decade)));
        let inside = |mark: &f64| {
            let log = mark.log10();
            log >= self.low - 1e-9 && log <= self.high + 1e-9
        };
        all.filter(inside).collect()
    }
}

impl Plot {
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter());
        let across = Axis::new(points().map(|p| p.0), LEFT, WIDTH - RIGHT, false);
        let up = Axis::new(points().map(|p| p.1), HEIGHT - BOTTOM, TOP, true);
        let mut out = self.head();
        self.grid(&mut out, &across, &up);
        for (index, line) in self.lines.iter().enumerate() {
            self.legend(&mut out, index, line);
            drawn(&mut out, index, line, &across, &up);
        }
        out + "</svg>\n"
    }

    fn head(&self) -> String {
        let title = escaped(&self.title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             role=\"img\" aria-label=\"{title}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <style>text {{ fill: #24292f }} .grid {{ stroke: #8886 }} .ground {{ fill: #fff }}\n\
             @media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} \
             .ground {{ fill: #0d1117 }} }}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
             <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{title}</text>\n"
        )
    }

    fn grid(&self, out: &mut String, across: &Axis, up: &Axis) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        let powers = across.marks().into_iter().map(|mark| (mark, number(mark)));
        let marks = if self.marks.is_empty() {
            powers.collect()
        } else {
            self.marks.clone()
        };
        for (mark, text) in marks {
            let x = across.place(mark);
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                escaped(&text)
            );
        }
        for mark in up.marks() {
            let y = up.place(mark);
            let _ = writeln!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                number(mark)
            );
        }
        let (middle, half) = ((LEFT + right) / 2.0, (TOP + bottom) / 2.0);
        let _ = writeln!(
            out,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(16 {half}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            HEIGHT - 12.0,
            escaped(&self.across),
            escaped(&self.up)
        );
    }

    fn legend(&self, out: &mut String, index: usize, line: &Line) {
        let width = (WIDTH - LEFT - RIGHT) / self.lines.len().max(3) as f64;
        let x = LEFT + width * index as f64;
        let (colour, dash) = (COLOURS[index % COLOURS.len()], DASHES[index % DASHES.len()]);
        let _ = writeln!(
            out,
            "<path d=\"M{x:.1} 44h26\" stroke=\"{colour}\" stroke-width=\"2.5\" \
             stroke-dasharray=\"{dash}\"/><text x=\"{:.1}\" y=\"48\">{}</text>",
            x + 32.0,
            escaped(&line.name)
        );
    }
}

fn drawn(out: &mut String, index: usize, line: &Line, across: &Axis, up: &Axis) {
    let (colour, dash) = (COLOURS[index % COLOURS.len()], DASHES[index % DASHES.len()]);
    let places: Vec<_> = line
        .points
        .iter()
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .map(|(x, y)| (across.place(*x), up.place(*y)))
        .collect();
    let path: Vec<_> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = writeln!(
        out,
        "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" \
         stroke-dasharray=\"{dash}\" points=\"{}\"/>",
        path.join(" ")
    );
    for (x, y) in places {
        let _ = writeln!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"
        );
    }
}

/// A number as short as it may be: 2k, 1M.
fn number(value: f64) -> String {
    for (size, sign) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        if value >= size * 0.999 {
            return format!("{}{sign}", (value / size * 100.0).round() / 100.0);
        }
    }
    format!("{}", (value * 1e4).round() / 1e4)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn a_power_of_ten_is_as_far_from_the_last_as_the_next() {
        let axis = Axis::new([1.0, 100.0].into_iter(), 0.0, 200.0, true);
        let places = [1.0, 10.0, 100.0].map(|value| axis.place(value).round());
        assert_eq!(places, [0.0, 100.0, 200.0]);
        assert_eq!(axis.marks().len(), 7);
    }
}
