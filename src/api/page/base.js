// Elements, numbers in words, and asking the API. Text becomes text nodes only: what devices and
// destinations say is never read as markup.

const $ = id => document.getElementById(id);

// An element: `on…` listens, `true` and `false` set and drop an attribute, the rest is text.
function h(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else set(made, name, value);
  }
  made.append(...children.flat().filter(child => child != null));
  return made;
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes || {})) set(made, name, value);
  made.append(...children);
  return made;
}

// Touches an attribute only where it changes: screen readers and focus stay undisturbed.
function set(node, name, value) {
  const wanted = value === true ? "" : value === false || value == null ? null : String(value);
  if (node.getAttribute(name) === wanted) return;
  if (wanted === null) node.removeAttribute(name);
  else node.setAttribute(name, wanted);
}

function put(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

// Keeps one child for each item, in order, and never makes one anew that is there.
function keep(parent, items, key, make, update) {
  const known = parent.kept || (parent.kept = new Map());
  const wanted = new Set(items.map(key));
  for (const [id, child] of known) {
    if (!wanted.has(id)) {
      child.remove();
      known.delete(id);
    }
  }
  items.forEach((item, at) => {
    const id = key(item);
    if (!known.has(id)) known.set(id, make(item));
    const child = known.get(id);
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] || null);
    if (update) update(child, item);
  });
}

const THIN = "\u202f";

function number(value) {
  const [whole, rest] = String(value).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  return rest ? `${grouped}.${rest}` : grouped;
}

const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many || one + "s"}`;

// Seconds as a person says them.
function time(seconds) {
  if (seconds == null) return "–";
  if (seconds < 0.0995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const steps = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  for (const [unit, name, part, less] of steps) {
    if (seconds < unit) continue;
    const whole = Math.floor(seconds / unit);
    const rest = Math.floor((seconds % unit) / part);
    return whole < 10 && rest ? `${whole} ${name} ${rest} ${less}` : `${whole} ${name}`;
  }
  return `${Math.round(seconds)} s`;
}

// How long ago something was: nobody wants tenths of that.
function ago(seconds) {
  if (seconds == null) return "–";
  return `${seconds < 60 ? `${Math.max(1, Math.round(seconds))} s` : time(seconds)} ago`;
}

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (count >= 1024 && at < units.length - 1) {
    count /= 1024;
    at += 1;
  }
  return `${count < 10 && at ? count.toFixed(1) : Math.round(count)} ${units[at]}`;
}

function rate(perSecond) {
  if (perSecond == null) return "–";
  if (perSecond === 0) return "0/s";
  if (perSecond < 0.95) return `${number(Math.max(1, Math.round(perSecond * 60)))}/min`;
  return `${perSecond < 9.95 ? perSecond.toFixed(1) : number(Math.round(perSecond))}/s`;
}

// The moment of an event, by the watch of who looks.
function clock(timestamp) {
  const date = new Date(timestamp * 1000);
  const two = value => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const now = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return date.toDateString() === new Date().toDateString() ? now : `${day} ${now}`;
}

// The token lives as long as the tab.
const secret = {
  get: () => sessionStorage.getItem("weir.token"),
  set: token => sessionStorage.setItem("weir.token", token),
  drop: () => sessionStorage.removeItem("weir.token"),
};

function headers(more) {
  const token = secret.get();
  return token ? { ...more, Authorization: `Bearer ${token}` } : { ...more };
}

// Asks the API: what is under `result`, or a thrown list of errors. Paths are beside the page, so
// that it also works below a folder of a proxy.
async function api(method, path, body) {
  const answer = await fetch(path, {
    method,
    cache: "no-store",
    headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }),
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  let said = {};
  try {
    said = await answer.json();
  } catch {
    said = { errors: [{ code: answer.status, reason: answer.statusText }] };
  }
  if (answer.ok) return said.result || [];
  if (answer.status === 401) askToken();
  throw Object.assign(new Error(reasons(said)), { status: answer.status, errors: said.errors });
}

const reasons = said => (said.errors || []).map(error => error.reason).join("\n") || "no answer";

const part = name => encodeURIComponent(name);

// What was done, or why not, for eyes and ears.
function say(text, bad) {
  const said = $("said");
  said.className = bad ? "bad" : "";
  put(said, text);
  clearTimeout(say.timer);
  say.timer = setTimeout(() => put(said, ""), bad ? 20000 : 6000);
}

// Does something by hand and says how it went.
async function act(done, method, path, body) {
  try {
    const [result] = await api(method, path, body);
    say(typeof done === "function" ? done(result || {}) : done);
    return true;
  } catch (error) {
    say(error.message, true);
    return false;
  }
}

// Asks before something that cannot be undone; focus begins where nothing happens.
function confirmed(title, text, yes, go) {
  const dialog = $("dialog");
  const close = () => dialog.close();
  dialog.replaceChildren(
    h("h2", { id: "dialog-title" }, title),
    h("p", {}, text),
    h("div", { class: "buttons" },
      h("button", { type: "button", autofocus: true, onclick: close }, "Cancel"),
      h("button", { type: "button", class: "danger", onclick: () => { close(); go(); } }, yes)),
  );
  dialog.className = "small";
  dialog.showModal();
}
