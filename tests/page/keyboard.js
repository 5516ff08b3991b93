// All of it without a mouse: to a stream, its switches, a question that is asked back, the form.

const { assert, feed, until, walk } = require("./browser.js");

walk(async page => {
  feed();
  await page.locator("#stream-far").waitFor();
  await until(page, "something waits", () =>
    Number(document.querySelector("#streams .figure b").textContent.replace(/\D/g, "")) > 3);
  const focused = () => page.evaluate(() => {
    const at = document.activeElement;
    return { text: at.textContent.trim(), id: at.id, ring: getComputedStyle(at).outlineStyle };
  });
  // goes on until a place has the focus, and wants to see it there
  const to = async text => {
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press("Tab");
      const at = await focused();
      if (at.text !== text && at.id !== text) continue;
      assert.strictEqual(at.ring, "solid", `${text} is seen to have the focus`);
      return;
    }
    assert.fail(`no way to ${text}`);
  };

  await page.keyboard.press("Tab");
  assert.strictEqual((await focused()).text, "To what needs attention");
  await page.keyboard.press("Enter");
  await to("far");
  await page.keyboard.press("Enter");
  const open = () => page.getAttribute("#stream-far button", "aria-expanded");
  await until(page, "it is open", () =>
    document.querySelector("#stream-far button").getAttribute("aria-expanded") === "true");
  assert.strictEqual((await focused()).text, "far");

  await to("Pause");
  await page.keyboard.press("Enter");
  await until(page, "it is paused", () =>
    /paused/.test(document.querySelector("#streams .says").textContent));
  await until(page, "it says so", () => /paused/.test(document.getElementById("said").textContent));
  // what is updated each second takes the focus from nobody
  assert.strictEqual((await focused()).text, "Resume");
  await page.keyboard.press("Enter");
  await until(page, "it goes on", () =>
    !/paused/.test(document.querySelector("#streams .says").textContent));

  await to("By hand");
  await page.keyboard.press("Enter");
  await to("Skip…");
  await page.keyboard.press("Enter");
  assert.strictEqual((await focused()).text, "Cancel");
  await page.keyboard.press("Escape");
  assert.strictEqual((await focused()).text, "Skip…");
  await page.keyboard.press("Enter");
  await to("Skip them");
  await page.keyboard.press("Enter");
  await until(page, "they are skipped", () =>
    /skipped/.test(document.getElementById("said").textContent));

  assert.strictEqual(await open(), "true");
  await page.keyboard.press("Shift+Tab");
  await page.locator("#add").focus();
  await page.keyboard.press("Enter");
  await page.locator("#key-type").waitFor();
  assert.strictEqual((await focused()).id, "key-type");
  await to("key-name");
  await page.keyboard.type("by keys");
  await page.keyboard.press("Escape");
  assert.strictEqual((await focused()).id, "add");
});
