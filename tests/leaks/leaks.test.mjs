// Tests that many calls and channels do not leak memory: in a Node process with the addon, and in a page with the
// WebAssembly module. ORGO_FULL=1 makes more calls.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildPage } from "../support/build-page.mjs";
import { startBrowser } from "../support/cdp.mjs";
import { startPages } from "../support/pages.mjs";
import { until } from "../support/wait.mjs";
import { assertFlat, MB, mib, NOISE } from "./flat.mjs";
import { inParts, KINDS } from "./load.mjs";
import { startServer } from "./server.mjs";

const full = process.env.ORGO_FULL === "1";
const counts = full ? amounts(100_000, 10_000) : amounts(10_000, 600);
const inPage = full ? counts : amounts(5_000, 200);
/** The memory of a module grows by pages of this size, in bytes. The allocator may add one late. */
const WASM_PAGE = 64 << 10;
/** The maximum variation of the heap of a page after garbage collection, in bytes. */
const HEAP_NOISE = MB / 4;

function amounts(calls, channels) {
  return { calls, terminal: channels, audio: channels, events: channels };
}

let server;
before(async () => (server = await startServer()));
after(() => server.close());

test("a Node process does not leak memory of calls and channels, and exits", { timeout: 3_600_000 }, async () => {
  const child = fork(fileURLToPath(new URL("client.mjs", import.meta.url)), [server.port, JSON.stringify(counts)], {
    // A small limit for V8's semi-space, which can otherwise grow to 48 MiB and hide a leak.
    execArgv: ["--expose-gc", "--max-semi-space-size=2"],
    env: { ...process.env, ORGO_BINDING: "native" },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const code = new Promise((resolve) => child.once("close", resolve));
  const flooded = new Promise((resolve) => child.once("message", resolve));
  await Promise.race([flooded, code]);

  // The client does not read the terminal, so the data must stay at the server.
  const held = await until("the server to be blocked", () => server.flooded().held >= MB && server.flooded());
  const { sent } = held;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(server.flooded().sent, sent, "the server sends no more data");
  child.send("seen");
  assert.equal(await code, 0);

  const { kind, measured, flooded: flood } = JSON.parse(text);
  assert.equal(kind, "native");
  for (const [what, values] of Object.entries(measured)) assertFlat(what, values, NOISE);
  console.log(`  flood: ${flood.received} bytes received, memory grew by ${(flood.growth / MB).toFixed(1)} MiB`);
  assert.ok(flood.growth < 16 * MB, `the flood used ${flood.growth} bytes`);
  assert.equal(flood.dropped, 0);
  assert.ok(flood.received < 2 * MB, `${flood.received} bytes were received`);
  await until("all sockets to close", () => server.open() === 0);
});

test("a page does not leak memory of calls and channels", { timeout: 3_600_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-leaks-"));
  context.after(() => rmSync(folder, { recursive: true }));
  await buildPage(new URL("page", import.meta.url), folder);
  const pages = await startPages(() => folder);
  context.after(() => pages.close());
  const browser = await startBrowser();
  context.after(() => browser.close());
  const page = await browser.openPage(pages.origin);
  await until("the page", () => page.evaluate("globalThis.run !== undefined"));
  await page.evaluate(`prepare(${server.port})`);
  const measure = async () => {
    // Collects twice, because the memory that the module holds for a JavaScript object is freed in a task after the object's
    // collection.
    await page.heap();
    const heap = await page.heap();
    return { module: await page.evaluate("moduleMemory()"), heap, processes: await residentIn(browser) };
  };
  for (const kind of KINDS) {
    const load = async (count) => {
      await page.evaluate(`run("${kind}", ${count})`);
      await until("all sockets to close", () => server.open() === 0, 600_000);
    };
    const began = performance.now();
    const measured = await inParts(inPage[kind], load, measure);
    const all = (name) => measured.map((value) => value[name]);
    assertFlat(`${kind}, memory of the module`, all("module"), WASM_PAGE);
    assertFlat(`${kind}, JavaScript heap`, all("heap"), HEAP_NOISE);
    const processes = all("processes").map(mib);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      `  ${kind}, renderer processes: ${processes[0]} at the start, ${processes.at(-1)} at the end; ${inPage[kind]} in ${seconds} s`,
    );
  }
});

/** Returns the resident memory of the renderer processes, in bytes. */
async function residentIn(browser) {
  const resident = (id) => Number(readFileSync(`/proc/${id}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m)[1]) * 1024;
  return (await browser.processes("renderer")).reduce((sum, id) => sum + resident(id), 0);
}
