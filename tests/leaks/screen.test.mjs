// Tests that live screens do not leak memory or descriptors, neither in the client (a Node process with the addon) nor in the local
// desktop and its X server. ORGO_FULL=1 opens more screens, and watches a moving screen for an hour; ORGO_MINUTES sets that time.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as sdk from "orgo-sdk";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startScene } from "../support/scenes.mjs";
import { until } from "../support/wait.mjs";
import { assertFlat, NOISE } from "./flat.mjs";
import { inParts } from "./load.mjs";

const full = process.env.ORGO_FULL === "1";
const OPENS = full ? 10_000 : 400;
const MINUTES = Number(process.env.ORGO_MINUTES ?? (full ? 60 : 1 / 3));
const LIMIT = { timeout: 3 * 3_600_000 };

let desktop, computer, connection;
before(async () => {
  desktop = await startDesktop();
  ({ computer } = await createComputer(sdk, desktop.options));
  connection = JSON.stringify(await computer.connection());
});
after(() => desktop?.stop());

/** Returns the memory and the number of descriptors of a process. */
function usage(id) {
  const memory = Number(readFileSync(`/proc/${id}/status`, "utf8").match(/^VmRSS:\s+(\d+)/m)[1]) * 1024;
  return { memory, descriptors: readdirSync(`/proc/${id}/fd`).length };
}

class Client {
  #child = fork(fileURLToPath(new URL("screen-client.mjs", import.meta.url)), [connection], {
    execArgv: ["--expose-gc", "--max-semi-space-size=2"],
    // With a fixed threshold, glibc returns the memory of each image to the system when it is freed. By default, it raises the
    // threshold to the size of an image, and keeps an unpredictable number of freed images.
    env: { ...process.env, ORGO_BINDING: "native", MALLOC_MMAP_THRESHOLD_: String(128 * 1024) },
  });

  #exited = once(this.#child, "exit");

  /** @param {import("node:test").TestContext} context */
  constructor(context) {
    context.after(() => this.#child.kill("SIGKILL"));
  }

  async order(...order) {
    this.#child.send(order);
    const report = new Promise((resolve) => this.#child.once("message", resolve));
    return Promise.race([report, this.#exited.then(([code]) => assert.fail(`the client exited with ${code}`))]);
  }

  async end() {
    await this.order("end");
    // Nothing may keep the process running.
    assert.deepEqual(await this.#exited, [0, null]);
  }
}

/** Returns the usage of the server and of the X server. */
function desktopUsage() {
  const display = desktop.processes().find((id) => readFileSync(`/proc/${id}/comm`, "utf8").trim() === "Xvnc");
  return { server: usage(desktop.pid), display: usage(display) };
}

const measure = (client) => ({ client, ...desktopUsage() });

/**
 * The maximum variation of a client's memory, in bytes. It is measured while the client holds no image, so this allows two
 * images for buffers that are made when they are first needed. The short run takes 600 images, the full run more than 100,000.
 */
const CLIENT_NOISE = NOISE + 2 * (1280 * 720 * 4);

function assertNoGrowth(what, measured) {
  for (const name of ["client", "server", "display"]) {
    const memory = measured.map((one) => one[name].memory);
    assertFlat(`${what}: ${name}`, memory, name === "client" ? CLIENT_NOISE : NOISE);
  }
}

test(`${OPENS} screens that open and close leak nothing`, LIMIT, async (context) => {
  const client = new Client(context);
  let last;
  await client.order("open", 40);
  const idle = (await client.order("open", 0)).descriptors;
  const before = await settledDescriptors();
  const load = async (count) => (last = await client.order("open", count));
  const measured = await inParts(OPENS, load, () => measure(last));
  assertNoGrowth(`${OPENS} screens`, measured);
  await until("the descriptors of the desktop", async () => {
    const now = await settledDescriptors();
    return now.server <= before.server && now.display <= before.display;
  });
  await until("the descriptors of the client", async () => (await client.order("open", 0)).descriptors <= idle);
  await client.end();
});

test("a closed screen frees its pixels although the program keeps it", LIMIT, async (context) => {
  const client = new Client(context);
  await client.order("keep", 5);
  const before = (await client.order("keep", 0)).memory;
  const growth = (await client.order("keep", 20)).memory - before;
  assert.ok(growth < 20 * 1280 * 720, `20 closed screens need ${growth} bytes`);
  await client.end();
});

/** Returns the numbers of descriptors in the desktop without viewers. */
async function settledDescriptors() {
  const now = () => {
    const { server, display } = desktopUsage();
    return { server: server.descriptors, display: display.descriptors };
  };
  let last;
  await until("the number of descriptors to stay the same", () => {
    const before = JSON.stringify(last);
    last = now();
    return before === JSON.stringify(last);
  });
  return last;
}

test(`${MINUTES.toFixed(1)} minutes of scrolling and video leak nothing`, LIMIT, async (context) => {
  await startScene(computer, "mix");
  const client = new Client(context);
  await client.order("watch");
  let images = 0;
  await until(
    "the scene",
    async () => {
      images += (await client.order("seen")).result.images;
      return images > 20;
    },
    60_000,
  );
  const cpu = [(await client.order("seen")).cpu];
  const began = performance.now();
  let last, counters;
  const load = async () => {
    await new Promise((resolve) => setTimeout(resolve, (MINUTES * 60_000) / 20));
    last = await client.order("pause");
    const { result } = await client.order("seen");
    await client.order("resume");
    counters = result.counters;
    assert.equal(result.state, "open");
    assert.ok(result.images > 0, "the screen moves");
  };
  const measured = await inParts(20, load, () => measure(last));
  const seconds = (performance.now() - began) / 1000;
  cpu.push(last.cpu);
  const used = (cpu[1].user + cpu[1].system - cpu[0].user - cpu[0].system) / 1e6;
  console.log(
    `  ${counters.received} updates in ${seconds.toFixed(0)} s; the client used ${((100 * used) / seconds).toFixed(0)} % of a core`,
  );
  assertNoGrowth(`${MINUTES.toFixed(1)} minutes`, measured);
  assert.equal(counters.reconnects, 0);
  await client.end();
});
