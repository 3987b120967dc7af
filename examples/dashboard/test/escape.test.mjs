import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { escapeControls, formatError } from "../server/escape.mjs";
import { start } from "./process.mjs";

/** Clears the screen, changes the title, starts a new line, and starts an escape sequence with a C1 character. */
const MALICIOUS = "\x1b[2J\x1b]0;title\x07\r\nDashboard: http://evil.example\x9b31m\x7f";
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

test("escapes control characters and keeps other text", () => {
  assert.equal(escapeControls(MALICIOUS), String.raw`\x1b[2J\x1b]0;title\x07\x0d\x0aDashboard: http://evil.example\x9b31m\x7f`);
  assert.equal(escapeControls("Grüße, 世界 👋 \\x1b"), "Grüße, 世界 👋 \\x1b");
  const text = formatError(new Error(MALICIOUS));
  assert.doesNotMatch(text, CONTROL);
  assert.match(text, /\n {4}at /);
});

test("the server escapes control characters in error messages about its settings", async () => {
  const child = start({ ORGO_API_KEY: "sk_live_x", PORT: MALICIOUS });
  let written = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (written += text));
  assert.deepEqual(await once(child, "close"), [1, null]);
  assert.match(written, /PORT must be a number/);
  assert.doesNotMatch(written, CONTROL);
  assert.doesNotMatch(written, /^Dashboard:/m);
});
