// The ring as a bar, and below it a lane for each stream on the same scale: what it has settled is
// a thin line, what waits for it a thick one up to the newest message.

function ringRow() {
  const bar = h("div", { class: "water", role: "img" }, h("i", { class: "used" }));
  const says = h("p", { class: "says" });
  const scale = h("p", { class: "scale", "aria-hidden": "true" }, h("span"), h("span"));
  const row = h("div", { class: "row ringrow" },
    h("div", { class: "who" }, h("h3", {}, "Ring")),
    h("div", { class: "lane" }, bar, scale), says);
  return Object.assign(row, { bar, says, scale });
}

function drawRing(status) {
  const ring = status.ring;
  const place = $("ring");
  const row = place.row || (place.row = place.appendChild(ringRow()));
  const used = ring.size ? Math.min(1, ring.used / ring.size) : 0;
  row.bar.firstChild.style.width = `${(100 * used).toFixed(2)}%`;
  const states = ringStates(ring);
  row.bar.firstChild.className = `used ${states.length ? "bad" : ""}`;
  const hours = ring.hours == null ? "" : `; holds ${time(ring.hours * 3600)} at this rate`;
  const share = used > 0 && used < 0.01 ? "under 1" : Math.round(100 * used);
  const waits = ring.waiting ? `; ${number(ring.waiting)} in memory` : "";
  put(row.says, `${share} % of ${bytes(ring.size)} used${hours}${waits}`);
  const memory = ring.waiting ? `, ${plural(ring.waiting, "message")} in memory` : "";
  set(row.bar, "aria-label", `The ring: ${bytes(ring.used)} of ${bytes(ring.size)}${memory}`);
  const [left, right] = row.scale.children;
  const oldest = ring.oldest == null ? null : status.clock.timestamp - ring.oldest;
  put(left, oldest == null ? "empty" : `oldest, ${ago(oldest)}`);
  put(right, used > 0.97 ? "newest" : `${bytes(Math.max(0, ring.size - ring.used))} free`);
}

// What of the ring is wrong, worst first: [how bad, in words].
function ringStates(ring) {
  const states = [];
  const since = ring.dropping == null ? "" : ` since ${clock(ring.dropping)}`;
  if (ring.refusing) states.push(["bad", "The ring is FULL and refuses: nothing more is taken"]);
  if (ring.dropping != null) {
    states.push(["bad", `The ring DROPS the oldest messages unsent${since}`]);
  } else if (ring.full && !ring.refusing) {
    states.push(["warn", "The ring is FULL: the next messages take the place of unsent ones"]);
  }
  if (ring.degraded && ring.durable) {
    states.push(["bad", "The ring is DEGRADED: senders wait until destinations answer"]);
  }
  if (!ring.durable) states.push(["bad", "NOT DURABLE: what is in the ring ends with the power"]);
  // less by more than what rounding takes
  if (ring.size < ring.size_wanted * 7 / 8) {
    const sizes = `${bytes(ring.size)} of the ${bytes(ring.size_wanted)} that are configured`;
    states.push(["warn", `The ring has ${sizes}: the disk has no more room`]);
  }
  return states;
}

function lane() {
  const parts = ["past", "waits", "cursor"].map(kind => h("i", { class: kind }));
  return Object.assign(h("div", { class: "water lane", role: "img" }, parts), { parts });
}

// `behind`: bytes of the ring from the stream's cursor to the newest message.
function drawLane(lane, stream, ring) {
  const [past, waits, cursor] = lane.parts;
  const known = stream.behind != null && ring.size > 0;
  set(lane, "hidden", !known);
  if (!known) return;
  const end = Math.min(1, ring.used / ring.size);
  const at = Math.max(0, end - stream.behind / ring.size);
  past.style.width = `${(100 * at).toFixed(2)}%`;
  waits.style.left = past.style.width;
  waits.style.width = `${(100 * (end - at)).toFixed(2)}%`;
  cursor.style.left = past.style.width;
  const share = ring.used ? Math.round((100 * stream.behind) / ring.used) : 0;
  const text = stream.behind
    ? `${bytes(stream.behind)} behind the newest message, ${share} % of what is in the ring`
    : "at the newest message";
  set(lane, "aria-label", `${stream.name}: ${text}`);
}
