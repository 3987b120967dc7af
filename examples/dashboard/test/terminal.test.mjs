import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { printable, printableError } from "../server/terminal.mjs";
import { start } from "./process.mjs";

/** Clears the screen, changes the title, starts a second line, and begins a sequence with one C1 character. */
const EVIL = "\x1b[2J\x1b]0;title\x07\r\nDashboard: http://evil.example\x9b31m\x7f";
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

test("control characters are escaped, and other text is left as it is", () => {
  assert.equal(printable(EVIL), String.raw`\x1b[2J\x1b]0;title\x07\x0d\x0aDashboard: http://evil.example\x9b31m\x7f`);
  assert.equal(printable("Grüße, 世界 👋 \\x1b"), "Grüße, 世界 👋 \\x1b");
  const text = printableError(new Error(EVIL));
  assert.doesNotMatch(text, CONTROL);
  assert.match(text, /\n {4}at /);
});

test("the server prints no control characters of its settings", async () => {
  const child = start({ ORGO_API_KEY: "sk_live_x", PORT: EVIL });
  let written = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (written += text));
  assert.deepEqual(await once(child, "close"), [1, null]);
  assert.match(written, /PORT must be a number/);
  assert.doesNotMatch(written, CONTROL);
  assert.doesNotMatch(written, /^Dashboard:/m);
});
