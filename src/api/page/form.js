// The form of a stream. Its fields are the keys of its type, as the configuration has them; what is
// wrong with them is said by the same check, beside the field.

let types = null;

async function streamTypes() {
  types = types || (await api("GET", "types")).filter(row => row.kind === "stream");
  return types;
}

// What stands at the top for every type; the rest is folded away.
const FIRST = ["channels", "devices", "groups", "filter"];

// What a key holds, told by a value of it.
function shapeOf(key) {
  const sample = (key.default && key.default !== "–" ? key.default : key.example) || "\"\"";
  if (/^(true|false)$/.test(sample)) return "switch";
  if (sample.startsWith("[")) return /^\[\s*\d/.test(sample) ? "numbers" : "list";
  if (sample.startsWith("{")) return "table";
  return /^[-+\d]/.test(sample) ? "number" : "text";
}

const unquoted = text => text == null ? "" : text.replace(/^"(.*)"$/, "$1");

// A line `name = value` each.
function tableOf(text) {
  const lines = text.split("\n").map(line => line.trim()).filter(Boolean);
  const pairs = lines.map(line => {
    const at = line.indexOf("=");
    const [name, value] = at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    try {
      return [unquoted(name.trim()), JSON.parse(value)];
    } catch {
      return [unquoted(name.trim()), value.trim()];
    }
  });
  return Object.fromEntries(pairs);
}

function shown(value, shape) {
  if (value == null) return "";
  const flat = Array.isArray(value) && value.every(one => typeof one !== "object");
  if (flat) return value.join(", ");
  if (shape === "table" && typeof value === "object") {
    const text = one => typeof one === "string" ? one : JSON.stringify(one);
    const line = ([name, one]) => `${name} = ${text(one)}`;
    return Object.entries(value).map(line).join("\n");
  }
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// The value of a field; none where it is empty.
function valueOf(text, shape) {
  const said = text.trim();
  if (!said) return undefined;
  if (said.startsWith("{") || said.startsWith("[")) {
    try {
      return JSON.parse(said);
    } catch {
      return said;
    }
  }
  const numeric = one => (one !== "" && !Number.isNaN(Number(one)) ? Number(one) : one);
  const items = () => said.split(",").map(one => unquoted(one.trim())).filter(Boolean);
  switch (shape) {
    case "switch": return said === "true" ? true : said === "false" ? false : said;
    case "number": return numeric(said);
    case "numbers": return items().map(numeric);
    case "list": return items();
    case "table": return tableOf(text);
    default: return text;
  }
}

// The text of a reference: what is in backquotes is code.
const about = text => text.split("`").map((one, at) => at % 2 ? h("code", {}, one) : one);

function input(key, shape, id) {
  const sample = unquoted(key.default) || unquoted(key.example);
  const holder = /^\[.*\]$/.test(sample) ? sample.slice(1, -1).replaceAll('"', "") : sample;
  const common = { id, name: key.name, autocomplete: "off", spellcheck: "false" };
  const hint = key.default ? holder : holder && `for example ${holder}`;
  if (shape === "switch") {
    const named = key.default ? `as usual: ${key.default}` : "as usual";
    return h("select", common, h("option", { value: "" }, named),
      h("option", { value: "true" }, "true"), h("option", { value: "false" }, "false"));
  }
  if (shape === "table") return h("textarea", { ...common, rows: 2, placeholder: "name = value" });
  return h("input", { ...common, type: "text", placeholder: hint || null });
}

function field(key, value) {
  const id = `key-${key.name}`;
  const shape = shapeOf(key);
  const control = input(key, shape, id);
  control.value = shown(value, shape);
  const wrong = h("p", { id: `${id}-wrong`, class: "wrong" });
  const says = h("p", { id: `${id}-about`, class: "about" }, about(key.about));
  set(control, "aria-describedby", `${id}-wrong ${id}-about`);
  set(control, "required", key.required);
  const label = h("label", { for: id }, key.name, key.required ? h("small", {}, " needed") : null);
  const made = h("div", { class: `field ${shape}` }, label, h("div", {}, control, wrong, says));
  return Object.assign(made, { key, shape, control, wrong });
}

const path = name => name.split(".");

function lookUp(settings, name) {
  return path(name).reduce((found, one) => found == null ? found : found[one], settings);
}

function place(settings, name, value) {
  const steps = path(name);
  const last = steps.pop();
  const at = steps.reduce((found, one) => found[one] || (found[one] = {}), settings);
  at[last] = value;
}

class StreamForm {
  // `name` is none for a new stream.
  constructor(name, known) {
    this.name = name;
    this.settings = known ? known.settings : { type: "http", channels: ["*"] };
    this.fields = [];
    this.form = h("form", { novalidate: true, onsubmit: event => this.submit(event) });
    this.form.addEventListener("input", () => this.soon());
    this.general = h("p", { class: "wrong", role: "alert", tabindex: "-1" });
    this.body = h("div");
    this.type = this.typeField();
    const title = name ? `Edit ${name}` : "Add a stream";
    const close = () => this.close();
    const save = h("button", { class: "main" }, name ? "Save" : "Add");
    const files = known && !known.made_here && known.files
      ? `As in ${known.files.join(", ")}. What is changed here is kept beside it, not in it.` : "";
    this.form.append(h("h2", { id: "dialog-title" }, title), this.general,
      h("p", { class: "about" }, files), this.type, this.body,
      h("div", { class: "buttons end" },
        h("button", { type: "button", onclick: close }, "Cancel"), save));
    this.fill();
  }

  typeField() {
    const options = types.map(row => h("option", { value: row.name }, row.name));
    const select = h("select", { id: "key-type", disabled: Boolean(this.name) }, options);
    select.value = this.settings.type;
    select.addEventListener("change", () => {
      this.settings = { ...this.values(), type: select.value };
      this.fill();
      this.soon();
    });
    const label = h("label", { for: "key-type" }, "type");
    return h("div", { class: "field" }, label, h("div", {}, select));
  }

  fill() {
    const row = types.find(known => known.name === this.settings.type) || types[0];
    const keys = row.keys.filter(key => !["type", "enabled"].includes(key.name));
    const nested = keys.filter(key => key.name.includes("."));
    const inner = new Set(nested.map(key => path(key.name)[0]));
    const own = keys.filter(key => !inner.has(key.name) && !(this.name && key.name === "name"));
    const make = key => field(key, lookUp(this.settings, key.name));
    const first = key => key.name === "name" || key.required && !key.name.includes(".") ||
      FIRST.includes(key.name);
    const rank = key => key.name === "name" ? 0 : key.required ? 1 : 2;
    const top = own.filter(first).sort((one, other) => rank(one) - rank(other)).map(make);
    const rest = own.filter(key => !first(key)).map(make);
    this.fields = [...top, ...rest];
    this.rest = h("details", {}, h("summary", {}, `${rest.length} more keys`), rest);
    this.rest.open = this.rest.open || rest.some(one => one.control.value);
    this.body.replaceChildren(...top, this.rest);
  }

  values() {
    const settings = {};
    for (const { key, shape, control } of this.fields) {
      const value = valueOf(control.value, shape);
      if (value !== undefined) place(settings, key.name, value);
    }
    return settings;
  }

  // What is sent: all of a new stream; of another the keys at the top that have changed.
  wanted() {
    const now = { ...this.values(), type: this.settings.type };
    if (!this.name) return now;
    const before = this.settings;
    const same = key => JSON.stringify(now[key]) === JSON.stringify(before[key]);
    const keys = new Set([...Object.keys(now), ...Object.keys(before)]);
    const skipped = ["name", "type", "enabled"];
    const changed = [...keys].filter(key => !same(key) && !skipped.includes(key));
    return Object.fromEntries(changed.map(key => [key, now[key] === undefined ? null : now[key]]));
  }

  send(dry) {
    const question = dry ? "?dry_run=1" : "";
    return this.name ? api("PATCH", `streams/${part(this.name)}${question}`, this.wanted())
      : api("POST", `streams${question}`, this.wanted());
  }

  // While somebody writes, only what was touched is judged.
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), 600);
  }

  async check() {
    if (this.name && !Object.keys(this.wanted()).length) return this.judge([], true);
    const asked = this.asked = {};
    try {
      const [result] = await this.send(true);
      if (this.asked === asked) this.judge(result ? result.warnings || [] : [], true);
    } catch (error) {
      if (this.asked === asked) this.judge(error.errors || [], true);
    }
  }

  // Puts each finding beside its field; those of no field, and the first of all, at the top.
  judge(findings, writing) {
    const left = findings.filter(one => !this.fields.some(field => this.isOf(one, field)));
    for (const field of this.fields) {
      const found = findings.filter(one => this.isOf(one, field));
      const untouched = writing && !field.control.value;
      const words = untouched ? "" : found.map(worded).join("\n");
      if (field.wrong.textContent !== words.replaceAll("`", "")) {
        field.wrong.replaceChildren(...about(words));
      }
      const bad = found.some(one => one.severity !== "warning");
      field.wrong.classList.toggle("warn", !bad);
      set(field.control, "aria-invalid", words && bad ? "true" : null);
    }
    put(this.general, writing ? "" : left.map(worded).join("\n"));
    return left;
  }

  isOf(finding, field) {
    const name = field.key.name;
    return finding.key === name || Boolean(finding.key) && finding.key.startsWith(`${name}.`) &&
      !this.fields.some(other => other.key.name === finding.key);
  }

  async submit(event) {
    event.preventDefault();
    clearTimeout(this.timer);
    this.asked = null;
    if (this.name && !Object.keys(this.wanted()).length) return this.close();
    try {
      await this.send(false);
      say(this.name ? `${this.name} is changed` : `${this.values().name} is there`);
      this.close();
    } catch (error) {
      this.judge(error.errors || [{ reason: error.message }], false);
      const first = this.fields.find(field => field.control.getAttribute("aria-invalid"));
      if (first && this.rest.contains(first)) this.rest.open = true;
      (first ? first.control : this.general).focus();
    }
  }

  close() {
    clearTimeout(this.timer);
    $("dialog").close();
  }

  show() {
    const dialog = $("dialog");
    dialog.className = "";
    dialog.replaceChildren(this.form);
    dialog.showModal();
    (this.name ? this.fields[0].control : $("key-type")).focus();
  }
}

// The message and what to write instead; where there is none, the last of what is said.
function worded(finding) {
  const said = finding.message || finding.reason;
  return finding.hint ? `${said}: ${finding.hint}` : said;
}

async function openForm(name) {
  try {
    await streamTypes();
    const known = name ? (await api("GET", `streams/${part(name)}/settings`))[0] : null;
    new StreamForm(name, known).show();
  } catch (error) {
    say(error.message, true);
  }
}

function removeStream(stream) {
  const { name, backlog } = stream;
  const waits = backlog ? ` ${plural(backlog, "message")} that wait for it are dropped.` : "";
  const text = `It sends nothing more, and its place in the ring is forgotten.${waits}`;
  const go = () => {
    // what is open of it would ask for what is not there any more
    state.open.delete(`stream ${name}`);
    draw();
    act(`${name} is removed`, "DELETE", `streams/${part(name)}`);
  };
  confirmed(`Remove ${name}?`, text, `Remove ${name}`, go);
}

$("add").addEventListener("click", () => openForm(null));
