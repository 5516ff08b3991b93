// Lines: what was over the last minutes, and where devices went.

// Seconds that a line shows; only what was seen while the page was looked at is known.
const SPAN = 180;

class Line {
  constructor() {
    this.points = [];
  }
  add(at, value) {
    if (value == null || Number.isNaN(value)) return;
    const last = this.points[this.points.length - 1];
    if (last && at <= last[0]) return;
    this.points.push([at, value]);
    while (this.points.length && this.points[0][0] < at - SPAN) this.points.shift();
  }
  highest() {
    return this.points.reduce((most, [, value]) => Math.max(most, value), 0);
  }
}

// A line without axes; its number stands beside it, so it says nothing to a screen reader.
function sparkline(kind) {
  const line = svg("path", { class: "line" });
  const area = svg("path", { class: "area" });
  const dot = svg("circle", { r: 1.8, class: "dot" });
  const shape = { class: `spark ${kind}`, viewBox: "0 0 120 26", "aria-hidden": "true" };
  return Object.assign(svg("svg", shape, area, line, dot), { line, area, dot });
}

function drawSpark(spark, data, now, least) {
  const top = Math.max(data.highest(), least);
  // a page that was just opened shows what it has seen over the whole width
  const span = Math.min(SPAN, Math.max(30, now - (data.points[0] || [now])[0]));
  const x = at => 118 - ((now - at) / span) * 118;
  const y = value => 24 - (value / top) * 21;
  const points = data.points.filter(([at]) => at >= now - SPAN);
  const places = points.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  set(spark.line, "d", places.length ? `M${places.join("L")}` : "");
  set(spark.dot, "visibility", places.length ? "visible" : "hidden");
  if (!places.length) return set(spark.area, "d", "");
  const first = x(points[0][0]).toFixed(1);
  const [cx, cy] = places[places.length - 1].split(" ");
  set(spark.area, "d", `M${first} 25L${places.join("L")}L${cx} 25Z`);
  set(spark.dot, "cx", cx);
  set(spark.dot, "cy", cy);
}

// What a second brought, of a counter that only rises; over ten seconds, so that it stands still.
class Pace {
  constructor() {
    this.seen = [];
  }
  add(at, count) {
    const last = this.seen[this.seen.length - 1];
    if (last && (count < last[1] || at < last[0] || at - last[0] > 30)) this.seen = [];
    this.seen.push([at, count]);
    while (this.seen.length > 2 && this.seen[0][0] < at - 10) this.seen.shift();
  }
  perSecond() {
    const [first, last] = [this.seen[0], this.seen[this.seen.length - 1]];
    return first && last[0] > first[0] ? (last[1] - first[1]) / (last[0] - first[0]) : null;
  }
}
