// The package in a page that Vite builds, as it would be published.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "vite";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { createProject } from "./project.mjs";

const PAGE = `<!doctype html>
<title>Page</title>
<link rel="icon" href="data:,">
<script type="module" src="/main.js"></script>
`;
const MAIN = `
  import { Orgo } from "orgo-sdk";
  globalThis.info = () => Orgo.bindingInfo();
  globalThis.withKey = () => new Orgo({ apiKey: "sk_live_x" });
`;

let project, emitted, pages, browser;
before(async () => {
  project = createProject({ "index.html": PAGE, "main.js": MAIN });
  await build({ root: project.folder, logLevel: "warn" });
  emitted = readdirSync(join(project.folder, "dist/assets"));
  pages = await startPages(() => join(project.folder, "dist"));
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await pages?.close();
  project?.remove();
});

test("the module, the worklet and the worker are files of their own, once each", () => {
  assert.equal(emitted.filter((name) => name.endsWith(".wasm")).length, 1, emitted.join(" "));
  for (const script of [/^worklet.*\.js$/, /^worker.*\.js$/]) {
    assert.equal(emitted.filter((name) => script.test(name)).length, 1, emitted.join(" "));
  }
});

test("the page works, loads WebAssembly only when it is needed, and refuses an API key", async () => {
  const page = await browser.newPage();
  const fetched = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.goto(pages.origin, { waitUntil: "networkidle" });
  assert.deepEqual(fetched.filter((url) => /wasm/.test(url)), []);
  assert.equal((await page.evaluate(() => globalThis.info())).kind, "wasm");
  const refusal = await page.evaluate(() => {
    try {
      return globalThis.withKey();
    } catch ({ name, field }) {
      return { name, field };
    }
  });
  assert.deepEqual(refusal, { name: "InvalidParameterError", field: "apiKey" });
});
