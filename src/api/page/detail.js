// What an open stream shows: its switches, its counters and what became of each message.

function switches(name) {
  const path = `streams/${part(name)}`;
  const button = (text, go) => h("button", { type: "button", onclick: go }, text);
  const enable = button("Disable", () => {
    const enabled = enable.textContent === "Enable";
    act(`${name} is ${enabled ? "enabled" : "disabled"}`, "PATCH", path, { enabled });
  });
  const hold = button("Pause", () => {
    const resume = hold.textContent === "Resume";
    const done = `${name} ${resume ? "goes on" : "is paused: it sends nothing, and keeps all"}`;
    act(done, "POST", `${path}/${resume ? "resume" : "pause"}`, {});
  });
  const wake = button("Try now", () => act(`${name} tries`, "POST", "wake", { now: true }));
  const update = stream => {
    put(enable, stream.enabled ? "Disable" : "Enable");
    put(hold, stream.paused ? "Resume" : "Pause");
    set(hold, "hidden", !stream.enabled);
    set(wake, "hidden", stream.next_try == null || !stream.enabled);
  };
  const edit = button("Edit…", () => openForm(name));
  const bar = h("div", { class: "buttons" }, hold, enable, wake, edit);
  return Object.assign(bar, { update });
}

// What cannot be undone is asked for once more.
function byHand(name) {
  const path = `streams/${part(name)}`;
  const button = (text, go) => h("button", { type: "button", onclick: go }, text);
  let stream = {};
  const count = h("input", { type: "number", min: 1, max: 10000, value: 1, id: `skip-${name}` });
  const label = h("label", { for: count.id }, "Skip the oldest ");
  const messages = () => Number(count.value) || 1;
  const skipped = result => `${plural(result.skipped || 0, "message")} skipped`;
  const skip = button("Skip…", () => confirmed(`Skip ${plural(messages(), "message")}?`,
    `They are not sent by ${name} any more, and count as skipped by hand.`, "Skip them",
    () => act(skipped, "POST", `${path}/skip`, { count: messages() })));
  const purge = button("Drop all that waits…", () => confirmed(
    `Drop ${plural(stream.backlog, "message")}?`,
    `All that waits for ${name} is not sent any more, and counts as skipped by hand.`,
    "Drop them", () => act(skipped, "DELETE", `${path}/messages`)));
  const again = button("Send again from the oldest…", () => confirmed(
    `Send again what ${name} has sent?`,
    "All that the ring still has on disk goes out once more: the destination gets it twice.",
    "Send again", () => act(result => `${plural(result.rewound || 0, "message")} go out again`,
      "POST", `${path}/rewind`, { to: "oldest" })));
  const remove = button("Remove…", () => removeStream(stream));
  const folded = h("details", {}, h("summary", {}, "By hand"),
    h("div", { class: "buttons" }, h("span", {}, label, count, " ", skip), purge, again, remove),
    putIn(name));
  const update = report => {
    stream = report;
    set(purge, "disabled", !report.backlog);
    set(skip, "disabled", !report.backlog);
  };
  return Object.assign(folded, { update });
}

// A message for this stream alone.
function putIn(name) {
  const text = h("textarea", { id: `put-${name}`, rows: 2, spellcheck: "false" });
  text.value = `{"ident": "test", "text": "by hand"}`;
  const send = async event => {
    event.preventDefault();
    try {
      const message = JSON.parse(text.value);
      const taken = result => `${plural(result.accepted || 0, "message")} taken for ${name}`;
      await act(taken, "POST", `streams/${part(name)}/messages`, message);
    } catch (error) {
      say(error.message, true);
    }
  };
  return h("form", { onsubmit: send },
    h("label", { for: text.id }, "Send a message by this stream alone, as JSON"),
    text, h("button", {}, "Send it"));
}

function streamDetail(name) {
  const bar = switches(name);
  const events = eventsOf(name);
  // what it wanted is what became of it: the sum holds at every moment
  const sum = counts([
    ["stored", stream => number(stream.stored)],
    ["accepted", stream => number(stream.accepted)],
    ["skipped by filter", stream => number(stream.skipped_filter)],
    ["skipped by age", stream => number(stream.skipped_age)],
    ["skipped by hand", stream => number(stream.skipped_hand)],
    ["given up", stream => number(stream.given_up)],
    ["dropped", stream => number(stream.dropped)],
    ["damaged", stream => number(stream.corrupt)],
    ["waiting", stream => number(stream.backlog)],
  ]);
  sum.classList.add("sum");
  const more = counts([
    ["attempts refused", stream => number(stream.rejected)],
    ["connects", stream => number(stream.connects)],
    ["bytes out", stream => bytes(stream.bytes_sent)],
    ["bytes in", stream => bytes(stream.bytes_received)],
    ["left out by every", stream => number(stream.thinned)],
    ["days of certificate", stream => stream.certificate_days ?? "–"],
  ]);
  const hand = byHand(name);
  const detail = h("div", { class: "detail" }, bar, sum, more,
    h("h4", {}, "Events"), events, waitingMessages(name), rawTraffic("streams", name), hand);
  const update = stream => [bar, sum, more, events, hand].forEach(one => one.update(stream));
  return Object.assign(detail, { update });
}
