// Many calls and many channels leave nothing behind: in a process of Node through the addon, in a page through the module.
// A share of them in a test run, all of them with ORGO_FULL=1.
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
import { inParts, KINDS } from "./load.mjs";
import { startServer } from "./server.mjs";

const full = process.env.ORGO_FULL === "1";
const counts = full ? amounts(100_000, 10_000) : amounts(10_000, 600);
const inPage = full ? counts : amounts(5_000, 200);
const MB = 1 << 20;
/** What the memory of a process wavers by without a leak; one of 100 bytes a call, or 1 kB a channel, shows in a full run. */
const NOISE = 6 * MB;
/** The same of a page's heap after all garbage was collected. */
const HEAP_NOISE = MB / 4;
const mib = (bytes) => `${(bytes / MB).toFixed(2)} MiB`;

function amounts(calls, opens) {
  return { calls, terminal: opens, audio: opens, events: opens };
}

let server;
before(async () => (server = await startServer()));
after(() => server.close());

/** The first parts fill pools and caches: after them the second half may not lie above the first. */
function assertFlat(what, measured, noise) {
  const settled = measured.slice(4);
  const half = settled.length / 2;
  const highest = (values) => Math.max(...values);
  const growth = highest(settled.slice(half)) - highest(settled.slice(0, half));
  console.log(`  ${what}: ${mib(measured[0])} at first, ${mib(measured.at(-1))} at last`);
  assert.ok(growth <= noise, `${what}: grew by ${growth} bytes: ${measured}`);
}

test("a process of Node keeps nothing of calls and channels, and ends by itself", { timeout: 3_600_000 }, async () => {
  const child = fork(fileURLToPath(new URL("client.mjs", import.meta.url)), [server.port, JSON.stringify(counts)], {
    // V8 lets the space for young objects grow to 48 MiB as it sees fit, which would hide what is looked for.
    execArgv: ["--expose-gc", "--max-semi-space-size=2"],
    env: { ...process.env, ORGO_BINDING: "native" },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const code = new Promise((resolve) => child.once("close", resolve));
  const flooded = new Promise((resolve) => child.once("message", resolve));
  await Promise.race([flooded, code]);

  // Nobody reads the terminal: what the server wants to send stays with the server.
  const held = await until("the server is held back", () => server.flooded().held >= MB && server.flooded());
  const { sent } = held;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(server.flooded().sent, sent, "nothing more leaves the server");
  child.send("seen");
  assert.equal(await code, 0);

  const { kind, measured, flooded: figures } = JSON.parse(text);
  assert.equal(kind, "native");
  for (const [what, values] of Object.entries(measured)) assertFlat(what, values, NOISE);
  console.log(`  flood: ${figures.received} bytes taken in, memory grew by ${(figures.growth / MB).toFixed(1)} MiB`);
  assert.ok(figures.growth < 16 * MB, `the flood took ${figures.growth} bytes`);
  assert.equal(figures.dropped, 0);
  assert.ok(figures.received < 2 * MB, `${figures.received} bytes were taken in`);
  await until("every socket is closed", () => server.open() === 0);
});

test("a page's module keeps nothing of calls and channels", { timeout: 3_600_000 }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "orgo-leaks-"));
  context.after(() => rmSync(folder, { recursive: true }));
  await buildPage(new URL("page", import.meta.url), folder);
  const pages = await startPages(() => folder);
  context.after(() => pages.close());
  const browser = await startBrowser();
  context.after(() => browser.close());
  const page = await browser.openPage(pages.origin);
  await until("the page", () => page.evaluate("globalThis.work !== undefined"));
  await page.evaluate(`prepare(${server.port})`);
  const measure = async () => {
    // What the module holds for an object of JavaScript is freed when that is collected, in a task of its own.
    await page.heap();
    const heap = await page.heap();
    return { module: await page.evaluate("moduleMemory()"), heap, processes: await residentIn(browser) };
  };
  for (const kind of KINDS) {
    const work = async (count) => {
      await page.evaluate(`work("${kind}", ${count})`);
      await until("every socket is closed", () => server.open() === 0, 600_000);
    };
    const began = performance.now();
    const measured = await inParts(inPage[kind], work, measure);
    const all = (name) => measured.map((value) => value[name]);
    assertFlat(`${kind}, the module's memory`, all("module"), 0);
    assertFlat(`${kind}, the heap of JavaScript`, all("heap"), HEAP_NOISE);
    const processes = all("processes").map(mib);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      `  ${kind}, the processes of pages: ${processes[0]} at first, ${processes.at(-1)} at last; ${inPage[kind]} in ${seconds} s`,
    );
  }
});

/** The resident memory of the processes that pages run in, in bytes. */
async function residentIn(browser) {
  const resident = (id) => Number(readFileSync(`/proc/${id}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m)[1]) * 1024;
  return (await browser.renderers()).reduce((sum, id) => sum + resident(id), 0);
}
