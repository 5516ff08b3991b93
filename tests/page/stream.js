// A stream from its form to an empty backlog, and the page as pictures.

const {
  Destination, assert, destination, feed, judged, picture, until, waiting, walk,
} = require("./browser.js");

walk(async page => {
  const far = new Destination();
  await far.comes();
  await until(page, "it is told what happens", () =>
    document.getElementById("link").textContent === "live");

  await page.evaluate(`window.waiting = ${waiting}`);
  await page.click("#add");
  await page.selectOption("#key-type", "http");
  await page.fill("#key-name", "cloud");
  await page.fill("#key-channels", "*");
  await page.fill("#key-url", `127.0.0.1:${destination}`);
  await page.click("dialog button.main");
  const wrong = page.locator("#key-url-wrong");
  await wrong.filter({ hasText: /\S/ }).waitFor();
  assert.strictEqual(await page.getAttribute("#key-url", "aria-invalid"), "true");
  const focused = () => page.evaluate(() => document.activeElement.id);
  assert.strictEqual(await focused(), "key-url");
  await judged(page, "the form with a mistake");
  await picture(page, "form");

  await page.fill("#key-url", `http://127.0.0.1:${destination}/`);
  // as fast as a test wants it
  await page.click("dialog details summary");
  await page.fill("#key-retry\\.max", "1s");
  await page.click("dialog button.main");
  await page.locator("#stream-cloud").waitFor();
  feed();
  const before = far.came;
  while (far.came < before + 10) await page.waitForTimeout(100);
  await until(page, "it says so", () =>
    /connected/.test(document.getElementById("events").textContent));

  await far.goes();
  await until(page, "the backlog grows", many => window.waiting("cloud") > many, 40);
  await until(page, "it needs attention", () =>
    /cloud/.test(document.getElementById("alerts").textContent));
  await page.click("#stream-cloud button");
  await judged(page, "in trouble, light");
  await picture(page, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await judged(page, "in trouble, dark");
  await picture(page, "dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 360, `${wide} is wider than the phone`);
  await judged(page, "in trouble, on a phone");
  await picture(page, "phone");
  await page.setViewportSize({ width: 1280, height: 900 });

  await far.comes();
  await until(page, "the backlog drains", few => window.waiting("cloud") < few, 5);
  await until(page, "all is well", () => !document.querySelector("#alerts li"));

  const detail = page.locator("#streams .detail");
  await detail.getByText("Raw traffic").click();
  await detail.locator(".out pre", { hasText: "POST / HTTP/1.1" }).first().waitFor();
  await detail.getByText("Raw traffic").click();
  await page.getByText("Messages as they pass").click();
  await page.locator("#passing pre", { hasText: "352093081452252" }).first().waitFor();
  await until(page, "there is a track", () =>
    (document.querySelector("path.track")?.getAttribute("d").match(/L/g) || []).length > 0);

  // only what was changed is sent, and what is emptied is as it was without it
  await detail.getByText("Edit…").click();
  assert.strictEqual(await page.inputValue("#key-retry\\.max"), "1s");
  await page.fill("#key-retry\\.max", "");
  await page.fill("#key-max_messages", "7");
  const asked = page.waitForRequest(request =>
    request.method() === "PATCH" && !request.url().includes("dry_run"));
  await page.click("dialog button.main");
  assert.deepStrictEqual((await asked).postDataJSON(), { max_messages: 7, retry: null });
  await page.locator("dialog[open]").waitFor({ state: "hidden" });

  await detail.getByText("By hand", { exact: true }).click();
  await detail.getByText("Remove…").click();
  await page.locator("dialog .danger").click();
  await page.locator("#stream-cloud").waitFor({ state: "detached" });
});
