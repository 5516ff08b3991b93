// What passes: the bytes of a stream or channel, and messages that wait. Asked for once a second,
// and only while it is open on the screen.

// A part that is folded away; it asks while it is open.
class Watching {
  constructor(title, kind, ask) {
    this.ask = ask;
    this.list = h("ol", { class: kind, tabindex: "0", "aria-label": title });
    this.empty = h("p", { class: "about" }, "Nothing yet.");
    this.node = h("details", {}, h("summary", {}, title), this.empty, this.list);
    this.node.addEventListener("toggle", () => this.node.open && this.run());
  }

  async run() {
    if (this.running) return;
    this.running = true;
    while (this.node.open && this.node.isConnected) {
      if (!document.hidden) {
        try {
          await this.ask(this);
          set(this.empty, "hidden", this.list.children.length > 0);
        } catch (error) {
          put(this.empty, error.message);
          set(this.empty, "hidden", false);
        }
      }
      await pause(1000);
    }
    this.running = false;
  }
}

function packetText(data) {
  const raw = atob(data);
  const codes = [...raw].map(one => one.charCodeAt(0));
  const printable = codes.filter(code => code >= 32 && code < 127 || code === 10 || code === 13);
  if (printable.length >= 0.9 * codes.length) {
    return new TextDecoder().decode(Uint8Array.from(codes)).replace(/\r?\n$/, "");
  }
  const hex = code => code.toString(16).padStart(2, "0");
  const rows = [];
  for (let at = 0; at < codes.length; at += 16) {
    const row = codes.slice(at, at + 16);
    const letter = code => code >= 32 && code < 127 ? String.fromCharCode(code) : "·";
    const text = row.map(letter).join("");
    const bytes = row.map(hex).join(" ").padEnd(47);
    rows.push(`${hex(at >> 8)}${hex(at & 255)}  ${bytes}  ${text}`);
  }
  return rows.join("\n");
}

function packetRow(packet) {
  const out = packet.type === "out";
  const size = atob(packet.data).length + (packet.left_out || 0);
  const about = `${out ? "▶ sent" : "◀ came"} · ${packet.conn} · ${plural(size, "byte")}`;
  const who = [about, packet.ident, packet.peer].filter(Boolean).join(" · ");
  return h("li", { class: packet.type }, h("time", {}, clock(packet.timestamp)), h("b", {}, who),
    h("pre", {}, packetText(packet.data)));
}

// `kind`: streams or channels.
function rawTraffic(kind, name) {
  let after = 0;
  return new Watching("Raw traffic", "packets", async watching => {
    const query = after ? `?after=${after}` : "?count=50";
    const packets = await api("GET", `${kind}/${part(name)}/packets${query}`);
    for (const packet of packets) {
      after = Math.max(after, packet.id);
      watching.list.prepend(packetRow(packet));
    }
    while (watching.list.children.length > 200) watching.list.lastChild.remove();
    put(watching.empty, "Recorded from now on, secrets as *. Nothing has passed yet.");
  }).node;
}

const messageRow = message => h("li", {}, h("pre", {}, JSON.stringify(message)));

function waitingMessages(name) {
  return new Watching("What waits, oldest first", "packets", async watching => {
    const messages = await api("GET", `streams/${part(name)}/messages?count=10`);
    const texts = messages.map(message => JSON.stringify(message)).join("\n");
    put(watching.empty, "Nothing waits.");
    if (watching.texts === texts) return;
    watching.texts = texts;
    watching.list.replaceChildren(...messages.map(messageRow));
  }).node;
}

// Messages as they come in, of all channels.
function passingMessages() {
  let after = 0;
  return new Watching("Messages as they pass", "packets", async watching => {
    const passed = await api("GET", after ? `messages?after=${after}` : "messages?count=20");
    for (const { id, message } of passed) {
      after = Math.max(after, id);
      watching.list.prepend(messageRow(message));
    }
    while (watching.list.children.length > 100) watching.list.lastChild.remove();
    put(watching.empty, "Shown from now on. Nothing has passed yet.");
  }).node;
}
