// A browser that looks at the page, and what is around the gateway: a destination that comes and
// goes, and a program that sends messages.

const { chromium } = require("playwright-core");
const assert = require("node:assert");
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const path = require("node:path");

const PATIENCE = 60000;
const kept = process.env.WEIR_PICTURES;

// What the test is told: where things listen.
const { page: origin, channel, destination, token, folder } = JSON.parse(process.env.WEIR_TEST);

async function begin() {
  return chromium.launchPersistentContext(path.join(folder, "profile"), {
    executablePath: "/usr/bin/chromium",
    headless: true,
    colorScheme: "light",
    viewport: { width: 1280, height: 900 },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// Opens the page; whatever it asks elsewhere, and every error of its script, fails the test.
async function open(browser) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const wrong = [];
  page.on("request", request => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) wrong.push(`asked ${url}`);
  });
  page.on("pageerror", error => wrong.push(`failed: ${error.stack}`));
  page.on("console", said => {
    const text = said.text();
    // a mistake in the form is answered 422, and a missing token 401
    const expected = /status of (401|422)/.test(text);
    if (said.type() === "error" && !expected) wrong.push(`said: ${text}`);
  });
  await page.goto(`${origin}/`);
  page.wrong = wrong;
  return page;
}

// Waits until something holds, which is asked in the page.
const until = (page, what, holds, argument) =>
  page.waitForFunction(holds, argument, { timeout: PATIENCE, polling: 100 })
    .catch(error => assert.fail(`never: ${what}: ${error.message}`));

// The number of messages that wait for a stream, as the page says it.
const waiting = name => {
  const row = document.getElementById(`stream-${name}`)?.closest("article");
  const figure = [...(row?.querySelectorAll(".figure") || [])]
    .find(one => one.querySelector(".label").textContent === "waiting");
  const text = figure?.querySelector("b").textContent.replace(/[^0-9]/g, "");
  return text ? Number(text) : null;
};

class Destination {
  constructor() {
    this.came = 0;
  }
  async comes() {
    this.server = http.createServer((request, answer) => {
      const pieces = [];
      request.on("data", piece => pieces.push(piece));
      request.on("end", () => {
        this.came += JSON.parse(Buffer.concat(pieces)).length;
        answer.end();
      });
    });
    await new Promise(go => this.server.listen(destination, "127.0.0.1", go));
  }
  async goes() {
    this.server.closeAllConnections();
    await new Promise(go => this.server.close(go));
  }
}

// Sends some messages a second until the test ends.
function feed() {
  const socket = net.connect(channel, "127.0.0.1");
  socket.resume();
  let at = 0;
  setInterval(() => {
    for (const [ident, north] of [["352093081452251", 0], ["352093081452252", 0.01]]) {
      at += 1;
      socket.write(`${JSON.stringify({
        ident,
        "position.latitude": 52.5 + north + 0.0003 * at,
        "position.longitude": 13.4 + 0.004 * Math.sin(at / 9),
        "position.speed": 40 + (at % 7),
        // so that the ring fills visibly
        text: "x".repeat(1000),
      })}\n`);
    }
  }, 250).unref();
  socket.unref();
}

// What axe finds that somebody could not use the page for.
async function judged(page, what) {
  const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  // the page's own policy lets no script in: it is brought by the browser
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document));
  const bad = found.violations.filter(one => ["serious", "critical"].includes(one.impact));
  const words = bad.map(one => `${one.id}: ${one.nodes.map(node => node.html).join("\n  ")}`);
  assert.deepStrictEqual(words, [], what);
  assert.ok(found.passes.length > 10, `${what}: axe looked at it`);
}

async function picture(page, name) {
  await page.screenshot({ path: path.join(kept, `${name}.png`), fullPage: true });
}

// Runs a walk; the browser ends with it.
function walk(steps) {
  const all = async () => {
    const browser = await begin();
    try {
      const page = await open(browser);
      await steps(page, browser);
      assert.deepStrictEqual(page.wrong, []);
    } finally {
      await browser.close();
    }
  };
  all().then(() => process.exit(0), error => {
    console.error(error);
    process.exit(1);
  });
}

module.exports = {
  Destination, assert, destination, feed, judged, picture, token, until, waiting, walk,
};
