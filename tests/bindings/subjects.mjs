// The bindings under test: the addon in Node, the WebAssembly module in Node, and the module in a page in Chromium.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "undici";
import { addon } from "../../node/test/addon.mjs";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { makeSubject } from "./subject.mjs";

// A global of Node 22 and later.
globalThis.WebSocket ??= WebSocket;

/** Loads a copy of the package with one binding. Each copy of the package's module loads its own binding. */
async function loadPackage(kind) {
  process.env.ORGO_BINDING = kind;
  const sdk = await import(`${import.meta.resolve("orgo-sdk")}?${kind}`);
  assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
  return sdk;
}

async function native() {
  const subject = makeSubject(await loadPackage("native"), addon);
  return { ...subject, close: async () => {} };
}

async function wasm() {
  const glue = await import("../../npm/dist/wasm/orgo_wasm.js");
  const file = await readFile(new URL("../../npm/dist/wasm/orgo_wasm_bg.wasm", import.meta.url));
  const module_or_path = await WebAssembly.compile(file);
  await glue.init({ module_or_path });
  const subject = makeSubject(await loadPackage("wasm"), glue);
  return { ...subject, close: async () => {} };
}

async function page() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-vectors-"));
  await buildPage(new URL("page", import.meta.url), folder, { target: "es2022" });
  const pages = await startPages(() => folder);
  const browser = await startChromium();
  const tab = await browser.newPage();
  const complaints = [];
  let workers = 0;
  tab.on("worker", () => (workers += 1));
  tab.on("pageerror", (error) => complaints.push(error.stack));
  await tab.goto(pages.origin);
  await tab.waitForFunction(() => globalThis.subject !== undefined);
  const ask = (method, ...given) => tab.evaluate(([method, given]) => globalThis.subject[method](...given), [method, given]);
  return {
    call: (job) => ask("call", job),
    open: (...given) => ask("open", ...given),
    act: (...given) => ask("act", ...given),
    look: (id) => ask("look", id),
    openScreen: (...given) => ask("openScreen", ...given),
    hashScreen: (id) => ask("hashScreen", id),
    closeScreen: (id) => ask("closeScreen", id),
    /** Returns the number of workers that the page has started. */
    workers: () => workers,
    async close() {
      await browser.close();
      await pages.close();
      rmSync(folder, { recursive: true });
      assert.deepEqual(complaints, [], "no uncaught error");
    },
  };
}

const STARTS = { native, wasm, page };

/** Starts bindings: all, or those with these names. Returns the bindings by name. */
export async function startSubjects(names = Object.keys(STARTS)) {
  const started = {};
  for (const name of names) started[name] = await STARTS[name]();
  return started;
}
