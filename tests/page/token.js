// Beyond loopback: the page comes without a token, and shows nothing before it has one.

const { assert, judged, token, until, walk } = require("./browser.js");

walk(async page => {
  await page.locator("#token").waitFor();
  const focused = () => page.evaluate(() => document.activeElement.id);
  assert.strictEqual(await focused(), "token");
  assert.strictEqual(await page.locator("#streams article").count(), 0);
  await judged(page, "asking for the token");

  await page.fill("#token", "open-sesam");
  await page.keyboard.press("Enter");
  await until(page, "a wrong one is refused", () =>
    document.activeElement.id === "token" && document.getElementById("token").value === "" &&
    !document.getElementById("key").hidden);
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.locator("#stream-far").waitFor();
  const where = await page.evaluate(() => [location.href, document.cookie, localStorage.length]);
  assert.ok(!where[0].includes("sesame") && where[1] === "" && where[2] === 0, String(where));
  await page.reload();
  await page.locator("#stream-far").waitFor();

  // a tab that nobody looks at asks nothing
  const hide = hidden => page.evaluate(hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const link = text => until(page, text, wanted =>
    document.getElementById("link").textContent === wanted, text);
  await link("live");
  await hide(true);
  await link("stopped while hidden");
  let asked = 0;
  page.on("request", () => { asked += 1; });
  await page.waitForTimeout(3000);
  assert.strictEqual(asked, 0);
  await hide(false);
  await link("live");
});
