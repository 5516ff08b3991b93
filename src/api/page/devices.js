// Devices: who was heard, when, and where it went. The plane is empty: north is up, the scale is
// below, and no map is asked for.

const devices = { list: [], chosen: null };

let askNow = () => {};

async function askDevices() {
  for (;;) {
    if (!document.hidden && state.status) {
      try {
        await askTracks(await api("GET", "devices?count=100"));
        set($("devices"), "hidden", !devices.list.length);
        drawDevices();
      } catch (error) {
        // said where the connection is said
        if (error.status === 404) return;
      }
    }
    await Promise.race([pause(5000), new Promise(go => { askNow = go; })]);
  }
}

// Tracks are told of one device at a time: of those heard last, and of the chosen one.
async function askTracks(list) {
  const wanted = list.filter((device, at) => at < 6 || device.ident === devices.chosen);
  for (const device of wanted.filter(device => device.position)) {
    const [found] = await api("GET", `devices?ident=${part(device.ident)}`);
    device.track = found && found.track;
  }
  devices.list = list;
}

const heardAgo = device => device.age ?? (device.last_message == null ? null
  : Math.max(0, state.now - device.last_message));

const called = device => device.device || device.ident;

function deviceRow(device) {
  const choose = () => {
    devices.chosen = devices.chosen === device.ident ? null : device.ident;
    drawDevices();
    askNow();
  };
  const button = h("button", { type: "button", class: "name", onclick: choose });
  const ident = h("small");
  const [age, where, count] = [h("b"), h("small"), h("small")];
  const row = h("li", {}, h("div", {}, button, ident), h("div", {}, age, count), where);
  return Object.assign(row, { button, ident, age, where, count });
}

function drawDevice(row, device) {
  const age = heardAgo(device);
  put(row.button, called(device));
  set(row.button, "aria-pressed", devices.chosen === device.ident ? "true" : "false");
  put(row.ident, device.device ? device.ident : "");
  put(row.age, ago(age));
  row.age.className = age > 3600 ? "warn" : "";
  const channel = device.channel ? ` by ${device.channel}` : "";
  put(row.count, `${plural(device.count || 0, "message")}${channel}`);
  const at = device.position;
  const speed = at && at.speed != null ? `, ${Math.round(at.speed)} km/h` : "";
  const place = at && at.latitude != null
    ? `${at.latitude.toFixed(5)}, ${at.longitude.toFixed(5)}${speed}` : "no position";
  const refused = device.refused ? `; refused ${number(device.refused)}` : "";
  const why = device.last_refusal ? `: ${device.last_refusal.reason || device.last_refusal}` : "";
  put(row.where, place + refused + why);
}

// Metres on a plane that touches the earth at `middle`.
function projected([latitude, longitude], middle) {
  const degree = 111320;
  const narrow = Math.cos(middle[0] * Math.PI / 180);
  return [(longitude - middle[1]) * degree * narrow, (middle[0] - latitude) * degree];
}

function trackOf(device) {
  const track = (device.track || []).map(([latitude, longitude]) => [latitude, longitude]);
  const at = device.position;
  if (!track.length && at && at.latitude != null) track.push([at.latitude, at.longitude]);
  return track;
}

// A length of 1, 2 or 5 and zeros that is at most a quarter of the plane.
function roundLength(metres) {
  const ten = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map(times => times * ten).find(length => length <= metres) || ten;
}

function drawPlane() {
  const shown = devices.list.filter(device => !devices.chosen || device.ident === devices.chosen);
  const tracks = shown.map(device => [device, trackOf(device)]).filter(([, track]) => track.length);
  const all = tracks.flatMap(([, track]) => track);
  const place = $("plane");
  if (!all.length) return place.replaceChildren();
  const span = at => [Math.min(...all.map(one => one[at])), Math.max(...all.map(one => one[at]))];
  const [[south, north], [west, east]] = [span(0), span(1)];
  const middle = [(south + north) / 2, (west + east) / 2];
  const [right, bottom] = projected([south, east], middle);
  const half = Math.max(right / 1.55, bottom, 50) * 1.2;
  const scale = 140 / half;
  const xy = point => projected(point, middle).map((one, at) =>
    (one * scale + (at ? 140 : 230)).toFixed(1));
  const parts = tracks.flatMap(([device, track], at) => drawTrack(device, track.map(xy), at));
  const length = roundLength(half / 2);
  const long = length * scale;
  const words = length < 1000 ? `${length} m` : `${length / 1000} km`;
  parts.push(svg("path", { class: "rule", d: `M12 262v6h${long.toFixed(1)}v-6` }),
    svg("text", { x: 18 + long, y: 270 }, words), svg("text", { x: 440, y: 20 }, "N"),
    svg("path", { class: "rule", d: "M445 42v-16l-4 6m4-6l4 6" }));
  const label = `Last positions of ${shown.map(called).join(", ")}`;
  place.replaceChildren(svg("svg", { viewBox: "0 0 460 280", role: "img", "aria-label": label },
    ...parts));
}

function drawTrack(device, points, at) {
  const [x, y] = points[points.length - 1];
  const hue = `track t${at % 4}`;
  const line = points.map(point => point.join(" ")).join("L");
  return [svg("path", { class: hue, d: `M${line}` }),
    svg("circle", { class: hue, cx: x, cy: y, r: 3.5 }),
    nameAt(device, Number(x), Number(y) + 4)];
}

// On the side where there is room.
function nameAt(device, x, y) {
  const left = x > 330;
  const anchor = left ? "end" : "start";
  return svg("text", { x: left ? x - 7 : x + 7, y, "text-anchor": anchor }, called(device));
}

function drawDevices() {
  const latest = [...devices.list].sort((one, other) => heardAgo(one) - heardAgo(other));
  const list = $("list");
  const rows = list.firstChild || list.appendChild(h("ol"));
  keep(rows, latest.slice(0, 200), device => device.ident, deviceRow, drawDevice);
  drawPlane();
}
