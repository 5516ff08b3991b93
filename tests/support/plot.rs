//! Pictures of figures, as SVG: lines over one axis, panels below each other. Legible on light and
//! on dark pages, and without colours: each line has a pattern of its own.

use std::fmt::Write as _;

/// One picture.
pub(crate) struct Picture<'a> {
    /// What it shows, also for those who do not see it.
    pub(crate) title: &'a str,
    pub(crate) panels: Vec<Panel<'a>>,
}

/// One pair of axes with its lines.
pub(crate) struct Panel<'a> {
    pub(crate) title: &'a str,
    pub(crate) across: Axis<'a>,
    pub(crate) up: Axis<'a>,
    /// At most as many as there are patterns.
    pub(crate) lines: Vec<Line<'a>>,
    /// Values across the panel, each with its name.
    pub(crate) limits: Vec<(f64, &'a str)>,
}

/// An axis; what lies outside is drawn at its end.
pub(crate) struct Axis<'a> {
    /// With its unit.
    pub(crate) label: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) scale: Scale,
}

/// How an axis grows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Linear,
    /// By decades; `from` is above 0.
    Logarithmic,
}

/// A line and its name.
pub(crate) struct Line<'a> {
    pub(crate) label: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Picture<'_> {
    /// The file.
    pub(crate) fn svg(&self) -> String {
        let height = HEAD + self.panels.len() * PANEL;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\"\n \
             width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n{STYLE}\
             <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
            escaped(self.title)
        );
        text(&mut svg, (LEFT, 22.0), "title", self.title);
        let mut top = HEAD as f64;
        for panel in &self.panels {
            panel.draw(&mut svg, top);
            top += PANEL as f64;
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Panel<'_> {
    fn draw(&self, svg: &mut String, top: f64) {
        text(svg, (LEFT, top + 14.0), "panel", self.title);
        let names = self.draw_names(svg, top + 32.0);
        let frame = Frame {
            top: top + 32.0 + names,
            bottom: top + PANEL as f64 - 46.0,
        };
        self.draw_axes(svg, &frame);
        for (value, _) in &self.limits {
            let y = frame.y(&self.up, *value);
            line(svg, "limit", (LEFT, y), (RIGHT, y));
        }
        for (number, it) in self.lines.iter().enumerate() {
            let points = it.points.iter();
            let points = points.map(|(x, y)| (frame.x(&self.across, *x), frame.y(&self.up, *y)));
            curve(svg, number, points);
        }
        // over the lines, so that they can be read
        for (value, name) in &self.limits {
            let place = (RIGHT - 4.0, frame.y(&self.up, *value) - 4.0);
            text(svg, place, "end note", name);
        }
    }

    /// Names of the lines, as many in a row as fit; how high that is.
    fn draw_names(&self, svg: &mut String, top: f64) -> f64 {
        let (mut x, mut y) = (LEFT, top);
        for (number, it) in self.lines.iter().enumerate() {
            let width = 46.0 + 7.0 * it.label.chars().count() as f64;
            if x + width > RIGHT {
                (x, y) = (LEFT, y + 18.0);
            }
            line(
                svg,
                &format!("line l{number}"),
                (x, y - 4.0),
                (x + 26.0, y - 4.0),
            );
            text(svg, (x + 32.0, y), "name", it.label);
            x += width;
        }
        y - top + 10.0
    }

    fn draw_axes(&self, svg: &mut String, frame: &Frame) {
        for tick in self.up.ticks() {
            let y = frame.y(&self.up, tick);
            line(svg, "grid", (LEFT, y), (RIGHT, y));
            text(svg, (LEFT - 6.0, y + 4.0), "end", &shown(tick));
        }
        for tick in self.across.ticks() {
            let x = frame.x(&self.across, tick);
            line(svg, "grid", (x, frame.top), (x, frame.bottom));
            text(svg, (x, frame.bottom + 16.0), "middle", &shown(tick));
        }
        line(svg, "axis", (LEFT, frame.bottom), (RIGHT, frame.bottom));
        line(svg, "axis", (LEFT, frame.top), (LEFT, frame.bottom));
        let middle = f64::midpoint(LEFT, RIGHT);
        text(
            svg,
            (middle, frame.bottom + 34.0),
            "middle",
            self.across.label,
        );
        let (x, y) = (16.0, f64::midpoint(frame.top, frame.bottom));
        let label = escaped(self.up.label);
        writeln!(
            svg,
            "<text class=\"middle\" transform=\"translate({x:.0} {y:.0}) rotate(-90)\">\
             {label}</text>"
        )
        .unwrap();
    }
}

impl Axis<'_> {
    /// From 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Logarithmic => {
                let decades = |of: f64| (of.max(self.from) / self.from).log10();
                decades(value) / decades(self.to)
            }
        };
        share.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        if self.scale == Scale::Logarithmic {
            let decades = std::iter::successors(Some(self.from), |tick| Some(tick * 10.0));
            return decades
                .take_while(|tick| *tick <= self.to * 1.001)
                .collect();
        }
        let rough = (self.to - self.from) / 6.0;
        let decade = 10_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
        let step = steps.into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let first = (self.from / step).ceil();
        let ticks = (0..20).map(|more| (first + f64::from(more)) * step);
        ticks.take_while(|tick| *tick <= self.to * 1.001).collect()
    }
}

/// Where the lines of a panel are, in pixels.
struct Frame {
    top: f64,
    bottom: f64,
}

impl Frame {
    fn x(&self, axis: &Axis<'_>, value: f64) -> f64 {
        LEFT + axis.share(value) * (RIGHT - LEFT)
    }

    fn y(&self, axis: &Axis<'_>, value: f64) -> f64 {
        self.bottom - axis.share(value) * (self.bottom - self.top)
    }
}

/// What is no news is left out: points on a level line, but for its ends.
fn curve(svg: &mut String, number: usize, points: impl Iterator<Item = (f64, f64)>) {
    let all: Vec<_> = points.collect();
    let is_news = |at: usize| {
        let level = |from: usize, to: usize| (all[from].1 - all[to].1).abs() < 0.05;
        at == 0 || at + 1 == all.len() || !level(at - 1, at) || !level(at, at + 1)
    };
    write!(svg, "<polyline class=\"line l{number}\" points=\"").unwrap();
    let mut column = 0;
    for (at, (x, y)) in all.iter().enumerate().filter(|(at, _)| is_news(*at)) {
        let gap = match column {
            0 => "\n",
            _ => " ",
        };
        write!(svg, "{gap}{x:.1},{y:.1}").unwrap();
        column = if at + 1 < all.len() && column < 6 {
            column + 1
        } else {
            0
        };
    }
    svg.push_str("\"/>\n");
}

fn line(svg: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let ends = format!("x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"");
    writeln!(svg, "<line class=\"{class}\" {ends}/>").unwrap();
}

fn text(svg: &mut String, (x, y): (f64, f64), class: &str, text: &str) {
    let text = escaped(text);
    writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
    )
    .unwrap();
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// With a comma between thousands, or as millions.
fn shown(value: f64) -> String {
    if value >= 1_000_000.0 && value % 100_000.0 == 0.0 {
        return format!("{} M", value / 1_000_000.0);
    }
    if value.fract() != 0.0 {
        return format!("{value}");
    }
    grouped(&format!("{value:.0}"))
}

/// With a comma between thousands.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

const WIDTH: usize = 800;
const HEAD: usize = 36;
const PANEL: usize = 330;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 784.0;

/// Colours that people who see no red or no green tell apart, for light and for dark.
const STYLE: &str = "<style>
.page{fill:#fff}
text{font:12px sans-serif;fill:#222}
.title{font-size:16px;font-weight:bold}
.panel{font-size:13px;font-weight:bold}
.middle{text-anchor:middle}
.end{text-anchor:end}
.note{paint-order:stroke;stroke:#fff;stroke-width:4px}
.grid{stroke:#ddd}
.axis{stroke:#222}
.limit{stroke:#222;stroke-dasharray:1 3}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.l0{stroke:#005ea2}
.l1{stroke:#b84a00;stroke-dasharray:7 3}
.l2{stroke:#00704f;stroke-dasharray:2 2}
.l3{stroke:#8a2f74;stroke-dasharray:9 3 2 3}
.l4{stroke:#6b6b6b;stroke-dasharray:4 4}
@media (prefers-color-scheme:dark){
.page{fill:#16191d}
text{fill:#e6e6e6}
.note{stroke:#16191d}
.grid{stroke:#3a3f45}
.axis,.limit{stroke:#e6e6e6}
.l0{stroke:#5db8f5}
.l1{stroke:#ff9d57}
.l2{stroke:#3fd6a5}
.l3{stroke:#ee9bd8}
.l4{stroke:#b5b5b5}
}
</style>
";
