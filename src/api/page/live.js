// The connection: events as the gateway sends them, for as long as somebody looks.

const seen = { last: 0 };

function link(text, state) {
  const place = $("link");
  put(place, text);
  place.className = state;
}

function trouble(text) {
  set($("trouble"), "hidden", !text);
  put($("trouble"), text || "");
}

function askToken() {
  secret.drop();
  if (!$("key").hidden) return;
  set($("key"), "hidden", false);
  $("token").focus();
}

const tokenGiven = () => new Promise(go => {
  $("key").addEventListener("submit", event => {
    event.preventDefault();
    secret.set($("token").value.trim());
    $("token").value = "";
    set($("key"), "hidden", true);
    go();
  }, { once: true });
});

const visible = () => new Promise(go => {
  document.addEventListener("visibilitychange", go, { once: true });
});

const pause = milliseconds => new Promise(go => setTimeout(go, milliseconds));

function heard(kind, data) {
  if (kind === "status") {
    link("live", "good");
    state.take(JSON.parse(data));
  } else if (kind === "log") {
    const line = JSON.parse(data);
    seen.last = line.id;
    state.log(line);
  }
}

// Events out of pieces of text, as they come.
function reader() {
  let rest = "";
  return text => {
    rest += text;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const lines = rest.slice(0, end).split("\n");
      rest = rest.slice(end + 2);
      const of = name => lines.find(line => line.startsWith(name))?.slice(name.length);
      heard(of("event: "), of("data: "));
    }
  };
}

async function listenOnce() {
  const stop = new AbortController();
  const hidden = () => document.hidden && stop.abort();
  document.addEventListener("visibilitychange", hidden);
  // a connection that says nothing for so long is none
  let silence = setTimeout(() => stop.abort(), 15000);
  try {
    const answer = await fetch("live", {
      headers: headers(seen.last ? { "Last-Event-ID": seen.last } : {}),
      cache: "no-store",
      signal: stop.signal,
    });
    if (!answer.ok) return { status: answer.status, said: await answer.json() };
    trouble("");
    const [source, take] = [answer.body.getReader(), reader()];
    const words = new TextDecoder();
    for (;;) {
      const { done, value } = await source.read();
      if (done) return {};
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(), 15000);
      take(words.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(silence);
    document.removeEventListener("visibilitychange", hidden);
  }
}

async function listen() {
  let wait = 500;
  for (;;) {
    if (document.hidden) {
      link("stopped while hidden", "");
      await visible();
      continue;
    }
    let ended = {};
    const before = state.count;
    try {
      link(state.count ? "asking again" : "connecting", "");
      ended = await listenOnce();
    } catch {
      // gone, or hidden
    }
    if (document.hidden) continue;
    if (ended.status === 401) {
      link("a token is needed", "bad");
      const given = tokenGiven();
      askToken();
      await given;
      continue;
    }
    link("no connection", "bad");
    if (ended.status) trouble(reasons(ended.said));
    wait = state.count > before ? 500 : Math.min(wait * 2, 10000);
    await pause(wait);
  }
}

put($("host"), location.host);
$("all").addEventListener("change", draw);
$("passing").append(passingMessages());
listen();
askDevices();
