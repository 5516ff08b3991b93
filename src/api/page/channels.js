// Channels, and events in words.

function refusals(channel) {
  const reasons = Object.entries(channel.refused).filter(([, count]) => count > 0);
  return reasons.map(([reason, count]) => `${reason} ${number(count)}`).join(", ");
}

function channelState(channel) {
  if (channel.listening === false) return ["▲", "bad", "not listening"];
  if (channel.listening) return ["●", "good", "listening"];
  return channel.connections ? ["●", "good", "connected"] : ["◐", "off", "no connection"];
}

function channelRow(channel) {
  const who = whoRow("channel", channel.name, () => toggle(row, `channel ${channel.name}`));
  const speed = figure("received", sparkline("rate"));
  const connections = figure("connections");
  const total = figure("in all");
  const refused = figure("refused");
  const row = h("article", { class: "row", "aria-labelledby": who.heading },
    who, connections, speed, total, refused);
  return Object.assign(row, { who, connections, speed, total, refused });
}

function drawChannel(row, channel) {
  const known = state.of("channel", channel.name);
  const [shape, bad, words] = channelState(channel);
  put(row.who.glyph, shape);
  row.who.glyph.className = `glyph ${bad}`;
  put(row.who.says, `${channel.type} · ${words}`);
  put(row.who.why, channel.listen_error || "");
  put(row.connections.value, number(channel.connections));
  put(row.speed.value, rate(channel.rate ?? known.pace.perSecond()));
  const age = channel.last_message_age;
  put(row.speed.more, age == null ? "" : `last ${ago(age)}`);
  drawSpark(row.speed.spark, known.rate, state.now, 1);
  put(row.total.value, number(channel.received));
  put(row.total.more, channel.unwanted ? `${number(channel.unwanted)} unwanted` : "");
  put(row.refused.value, number(known.refused || 0));
  put(row.refused.more, refusals(channel));
  drawDetail(row, `channel ${channel.name}`, () => channelDetail(channel.name), channel);
}

function drawChannels(status) {
  keep($("channels"), status.channels, channel => channel.name, channelRow, drawChannel);
}

const CODES = {
  401: ["good", "connected"],
  402: ["warn", "connection lost"],
  403: ["bad", "not delivered"],
  404: ["", "sent"],
  901: ["bad", "does not work"],
  902: ["good", "works again"],
  903: ["", "started"],
  904: ["", "stopped"],
  905: ["", "configuration read"],
  906: ["", "by hand"],
};

const ERRORS = { "-99": "certificate", "-2": "no answer", "-1": "no connection" };

function eventWords(event) {
  const code = event.error_code;
  const [, named] = CODES[event.event_code] || ["", `event ${event.event_code}`];
  const words = event.event_code === 403 && code == null ? "not taken" : named;
  if (event.event_code === 404) {
    const rest = ["rejected", "skipped"].filter(key => event[key]);
    const less = rest.map(key => `, ${number(event[key])} ${key}`).join("");
    const latency = event.ack_latency == null ? "" : `, acknowledged in ${time(event.ack_latency)}`;
    return `${number(event.accepted || 0)} sent${less}${latency}`;
  }
  const error = code ? ERRORS[code] || (code >= 100 ? `HTTP ${code}` : `code ${code}`) : "";
  const times = event.count > 1
    ? ` (${number(event.count)} times${event.duration ? ` in ${time(event.duration)}` : ""})` : "";
  return [words, error, event.reason].filter(Boolean).join(": ").replaceAll("`", "") + times;
}

// The newest first.
function drawEvents(list, lines, most) {
  const newest = lines.slice(-most).reverse();
  const make = line => {
    const [bad] = CODES[line.event_code] || [""];
    const [when, words] = [h("time", {}, clock(line.timestamp)), h("span", {}, eventWords(line))];
    return h("li", { class: bad }, when, h("b", {}, line.name), words);
  };
  keep(list, newest, line => `${line.id} ${line.timestamp}`, make);
}

// Beside what a row says: its counters, its events.
function counts(pairs) {
  const shown = pairs.map(([name]) => [name, h("dd")]);
  const list = h("dl", { class: "counts" },
    shown.map(([name, value]) => h("div", {}, h("dt", {}, name), value)));
  const update = report => pairs.forEach(([, value], at) => {
    const said = value(report);
    const place = shown[at][1];
    put(place, said);
    place.parentNode.className = said === "0" || said === "–" ? "none" : "";
  });
  return Object.assign(list, { update });
}

function eventsOf(name) {
  const list = h("ol", { class: "events", tabindex: "0", "aria-label": `Events of ${name}` });
  const update = () => drawEvents(list, state.logs.filter(line => line.name === name), 30);
  return Object.assign(list, { update });
}

function channelDetail(name) {
  const events = eventsOf(name);
  const numbers = counts([
    ["received", channel => number(channel.received)],
    ["left out by every", channel => number(channel.thinned)],
    ["unwanted", channel => number(channel.unwanted)],
    ["days of certificate", channel => channel.certificate_days ?? "–"],
  ]);
  const detail = h("div", { class: "detail" }, numbers, h("h4", {}, "Events"), events,
    rawTraffic("channels", name));
  const update = channel => {
    numbers.update(channel);
    events.update();
  };
  return Object.assign(detail, { update });
}
