// What is known of the gateway, and its streams. A row is made once and then only touched where
// something changed.

const state = {
  // Reports so far.
  count: 0,
  status: null,
  logs: [],
  memory: new Map(),
  open: new Set(),

  take(status) {
    const now = status.clock.timestamp;
    // another clock: what was drawn by the one before says nothing any more
    if (this.now > now + 5) this.memory.clear();
    this.now = now;
    this.status = status;
    this.count += 1;
    for (const stream of status.streams) {
      const known = this.of("stream", stream.name);
      known.backlog.add(now, stream.backlog);
      known.pace.add(now, stream.accepted);
      // only what was answered since the last look
      if (known.accepted !== stream.accepted) known.latency.add(now, stream.ack_latency);
      known.accepted = stream.accepted;
    }
    for (const channel of status.channels) {
      const known = this.of("channel", channel.name);
      known.pace.add(now, channel.received);
      known.rate.add(now, channel.rate ?? known.pace.perSecond());
      const refused = Object.values(channel.refused).reduce((sum, count) => sum + count, 0);
      if (known.refused != null && refused > known.refused) known.refusedAt = now;
      known.refused = refused;
    }
    draw();
  },

  log(line) {
    const id = event => `${event.id} ${event.timestamp}`;
    if (this.logs.some(known => id(known) === id(line))) return;
    // what repeats is one line that counts
    const alike = known => ["name", "event_code", "error_code", "reason"]
      .every(key => known[key] === line[key]);
    if (line.count > 1 && line.event_code !== 404) {
      this.logs = this.logs.filter(known => !alike(known));
    }
    this.logs.push(line);
    this.logs = this.logs.slice(-300);
    if (line.ack_latency != null) {
      this.of("stream", line.name).latency.add(line.timestamp, line.ack_latency);
    }
  },

  of(kind, name) {
    const key = `${kind} ${name}`;
    if (!this.memory.has(key)) {
      const lines = { backlog: new Line(), latency: new Line(), rate: new Line() };
      this.memory.set(key, { ...lines, pace: new Pace() });
    }
    return this.memory.get(key);
  },
};

// How a stream stands: [shape, how bad, in words].
function streamState(stream) {
  if (!stream.enabled) return ["○", "off", "disabled"];
  if (stream.paused) {
    const left = stream.paused_for ? ` for ${time(stream.paused_for)} more` : "";
    return ["‖", "off", `paused${left}`];
  }
  if (stream.last_error) {
    const next = stream.next_try == null ? "trying" : `next try in ${time(stream.next_try)}`;
    return ["▲", "bad", next];
  }
  if (stream.connected) return ["●", "good", "connected"];
  if (stream.next_try != null) return ["◐", "warn", `next try in ${time(stream.next_try)}`];
  return ["◐", "off", "not connected"];
}

// A number with its name below and, where there is one, its line beside it.
function figure(name, spark) {
  const value = h("b", {}, "–");
  const more = h("small", {}, "");
  const text = h("div", { class: "text" }, h("span", { class: "label" }, name), value, more);
  return Object.assign(h("div", { class: "figure" }, text, spark), { value, more, spark });
}

function whoRow(kind, name, toggle) {
  const id = `${kind}-${name}`;
  const glyph = h("span", { class: "glyph", "aria-hidden": "true" });
  const button = h("button", { type: "button", class: "name", onclick: toggle }, name);
  set(button, "aria-expanded", "false");
  const says = h("p", { class: "says" });
  const why = h("p", { class: "why" });
  const who = h("div", { class: "who" }, h("h3", { id }, glyph, button), says, why);
  return Object.assign(who, { glyph, button, says, why, heading: id });
}

function streamRow(stream) {
  const who = whoRow("stream", stream.name, () => toggle(row, `stream ${stream.name}`));
  const waits = figure("waiting", sparkline("waits"));
  const latency = figure("answered in", sparkline("latency"));
  const speed = figure("sent");
  const way = lane();
  const row = h("article", { class: "row", "aria-labelledby": who.heading },
    who, way, waits, latency, speed);
  return Object.assign(row, { who, way, waits, latency, speed });
}

function toggle(row, key) {
  if (state.open.has(key)) state.open.delete(key);
  else state.open.add(key);
  draw();
}

function drawStream(row, stream) {
  const known = state.of("stream", stream.name);
  const now = state.now;
  const [shape, bad, words] = streamState(stream);
  put(row.who.glyph, shape);
  row.who.glyph.className = `glyph ${bad}`;
  put(row.who.says, `${stream.type} · ${words}`);
  put(row.who.why, stream.last_error && stream.enabled ? stream.last_error : "");
  drawLane(row.way, stream, state.status.ring);
  put(row.waits.value, number(stream.backlog));
  row.waits.value.className = stream.backlog && !stream.connected ? "bad" : "";
  put(row.waits.more, stream.backlog ? `oldest ${time(stream.oldest_age)}` : "");
  drawSpark(row.waits.spark, known.backlog, now, 4);
  put(row.latency.value, time(stream.ack_latency));
  const [p50, p95] = [stream.ack_latency_p50, stream.ack_latency_p95];
  put(row.latency.more, p95 == null ? "" : `p50 ${time(p50)}, p95 ${time(p95)}`);
  drawSpark(row.latency.spark, known.latency, now, 0.02);
  put(row.speed.value, rate(stream.rate ?? known.pace.perSecond()));
  const drain = stream.backlog && stream.drain_time != null;
  put(row.speed.more, drain ? `empty in ${time(stream.drain_time)}` : "");
  drawDetail(row, `stream ${stream.name}`, () => streamDetail(stream.name), stream);
}

// What a row shows when it is open; made when it is opened, gone when it is closed.
function drawDetail(row, key, make, report) {
  const open = state.open.has(key);
  set(row.who.button, "aria-expanded", open ? "true" : "false");
  if (open && !row.detail) {
    row.detail = row.appendChild(make());
    row.classList.add("open");
  } else if (!open && row.detail) {
    row.detail.remove();
    row.detail = null;
    row.classList.remove("open");
  }
  if (row.detail) row.detail.update(report);
}

function drawStreams(status) {
  keep($("streams"), status.streams, stream => stream.name, streamRow, drawStream);
}

// What needs attention, worst first: [how bad, key, whose, in words].
function alerts(status) {
  const found = ringStates(status.ring).map(([bad, words], at) => [bad, `ring ${at}`, "", words]);
  for (const stream of status.streams) {
    const waits = `${plural(stream.backlog, "message waits", "messages wait")}`;
    const oldest = stream.backlog ? `, the oldest for ${time(stream.oldest_age)}` : "";
    if (stream.enabled && stream.last_error) {
      const words = `${stream.last_error}; ${stream.backlog ? waits + oldest : "nothing waits"}`;
      found.push([stream.backlog ? "bad" : "warn", `stream ${stream.name}`, stream.name, words]);
    } else if (stream.paused && stream.backlog) {
      const words = `is paused; ${waits}${oldest}`;
      found.push(["warn", `stream ${stream.name} paused`, stream.name, words]);
    }
    certificate(found, stream);
  }
  for (const channel of status.channels) {
    if (channel.listening === false) {
      const words = `not listening: ${channel.listen_error || "no address"}`;
      found.push(["bad", `channel ${channel.name}`, channel.name, words]);
    }
    const known = state.of("channel", channel.name);
    if (known.refusedAt > state.now - 300) {
      const words = `refused something ${ago(state.now - known.refusedAt)}: ` +
        refusals(channel);
      found.push(["warn", `channel ${channel.name} refused`, channel.name, words]);
    }
    certificate(found, channel);
  }
  if (!status.clock.trusted) {
    found.push(["warn", "clock", "", "The clock cannot be believed yet: nothing expires by it"]);
  }
  return found.sort((one, other) => (other[0] === "bad") - (one[0] === "bad"));
}

function certificate(found, report) {
  const days = report.certificate_days;
  if (days == null || days > 14) return;
  const words = days < 0 ? "its certificate has expired" :
    `its certificate expires in ${plural(days, "day")}`;
  found.push([days < 3 ? "bad" : "warn", `certificate ${report.name}`, report.name, words]);
}

function drawAttention(status) {
  const found = alerts(status);
  const make = ([bad, , name]) => {
    const words = h("span");
    const open = () => reveal(name);
    const who = name ? h("button", { type: "button", class: "name", onclick: open }, name) : null;
    return Object.assign(h("li", {}, h("i", { "aria-hidden": "true" }), who, words), { words });
  };
  keep($("alerts"), found, ([, key]) => key, make, (item, [bad, , , words]) => {
    item.className = bad;
    put(item.firstChild, bad === "bad" ? "▲" : "△");
    put(item.words, ` ${words}`);
  });
  const streams = status.streams.filter(stream => stream.enabled);
  const connected = streams.filter(stream => stream.connected).length;
  const worst = found.some(([bad]) => bad === "bad");
  const verdict = found.length ? plural(found.length, "thing needs", "things need") + " attention"
    : status.streams.length ? "All is well" : "No stream yet: what comes in goes nowhere";
  put($("verdict"), verdict);
  $("verdict").className = worst ? "bad" : found.length || !streams.length ? "warn" : "good";
  // for ears: only what is new, without the numbers that change each second
  const keys = found.map(([, key]) => key).join();
  if (drawAttention.keys !== keys) put($("changed"), verdict);
  drawAttention.keys = keys;
  const wait = streams.reduce((sum, stream) => sum + stream.backlog, 0);
  document.title = found.length ? `(${found.length}) weir ${location.host}`
    : `weir ${location.host}`;
  const version = `${status.version}, up ${time(status.uptime)}`;
  const delivering = `${connected} of ${plural(streams.length, "stream")} connected`;
  put($("facts"), `${version} · ${delivering} · ${number(wait)} waiting`);
}

// Opens a row and goes there.
function reveal(name) {
  for (const kind of ["stream", "channel"]) {
    const title = document.getElementById(`${kind}-${name}`);
    if (!title) continue;
    state.open.add(`${kind} ${name}`);
    draw();
    title.querySelector("button").focus();
    title.scrollIntoView({ block: "center" });
  }
}

function draw() {
  if (!state.status) return;
  drawAttention(state.status);
  drawRing(state.status);
  drawStreams(state.status);
  drawChannels(state.status);
  const told = line => $("all").checked || line.event_code !== 404;
  drawEvents($("events"), state.logs.filter(told), 100);
}
