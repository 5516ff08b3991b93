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
  const bar = h("div", { class: "buttons" }, enable, hold, wake);
  return Object.assign(bar, { update });
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
  const detail = h("div", { class: "detail" },
    bar, sum, more, h("h4", {}, "Events"), events);
  const update = stream => [bar, sum, more, events].forEach(one => one.update(stream));
  return Object.assign(detail, { update });
}
