// Many calls and many channels leave nothing behind: in a process of Node through the addon, in a page through the module.
// A share of them in a test run, all of them with ORGO_FULL=1.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { until } from "../support/wait.mjs";
import { startServer } from "./server.mjs";

const full = process.env.ORGO_FULL === "1";
const counts = full ? { calls: 100_000, opens: 10_000 } : { calls: 10_000, opens: 600 };
const inPage = full ? counts : { calls: 5_000, opens: 200 };
const MB = 1 << 20;
/** What the memory of a process wavers by without a leak; one of 100 bytes a call, or 1 kB a channel, shows in a full run. */
const NOISE = 6 * MB;

let server;
before(async () => (server = await startServer()));
after(() => server.close());

/** The first parts fill pools and caches: after them the second half may not lie above the first. */
function assertFlat(what, measured, noise) {
  const settled = measured.slice(4);
  const half = settled.length / 2;
  const highest = (values) => Math.max(...values);
  const growth = highest(settled.slice(half)) - highest(settled.slice(0, half));
  console.log(`  ${what}: ${(measured[0] / MB).toFixed(1)} MiB at first, ${(measured.at(-1) / MB).toFixed(1)} MiB at last`);
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
  await build({
    root: fileURLToPath(new URL("page", import.meta.url)),
    logLevel: "warn",
    build: { outDir: folder, emptyOutDir: true, minify: false },
  });
  const pages = await startPages(() => folder);
  context.after(() => pages.close());
  const browser = await startChromium();
  context.after(() => browser.close());
  const page = await browser.newPage();
  const devtools = await page.context().newCDPSession(page);
  await page.exposeFunction("collectGarbage", () => devtools.send("HeapProfiler.collectGarbage").then(() => {}));
  await page.goto(pages.origin);
  await page.waitForFunction(() => globalThis.load !== undefined);
  const measured = await page.evaluate(([port, given]) => globalThis.load(port, given), [server.port, inPage]);
  for (const [what, values] of Object.entries(measured)) assertFlat(what, values, 0);
  await until("every socket is closed", () => server.open() === 0);
});
