// Tests that a wait that ends early leaves nothing in memory, although its channel stays open and silent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until } from "../support/wait.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

let desktop;
let computer;
before(async () => {
  desktop = await startDesktop();
  ({ computer } = await createComputer(await import("orgo-sdk"), desktop.options));
});
after(() => desktop?.stop());

/** Starts a wait, aborts it, and returns a reference to the signal, which the wait holds. */
async function abortWait(wait) {
  const controller = new AbortController();
  const waiting = wait({ signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  return new WeakRef(controller.signal);
}

async function assertReleased(what, wait) {
  const signals = [];
  for (let count = 0; count < 10; count += 1) signals.push(await abortWait(wait));
  await until(`${what} to release its signals`, () => {
    collect();
    return signals.every((signal) => signal.deref() === undefined);
  });
}

test("aborted waits for events release their memory", async () => {
  const events = await computer.events(["audio_stream_start"]);
  await assertReleased("events.read", (options) => events.read(options));
  await events.close();
});

test("aborted waits for an event of a type release their memory", async () => {
  const events = await computer.events(["audio_stream_start"]);
  await assertReleased("events.waitFor", (options) => events.waitFor("audio_stream_start", options));
  await events.close();
});

test("aborted waits for the exit code release their memory", async () => {
  const terminal = await computer.terminal();
  await assertReleased("terminal.waitForExit", (options) => terminal.waitForExit(options));
  await terminal.close();
});
