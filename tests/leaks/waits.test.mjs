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

test("an aborted wait for an event or for output releases its memory", async () => {
  const events = await computer.events(["audio_stream_start"]);
  await assertReleased("events.read", (options) => events.read(options));
  await assertReleased("events.waitFor", (options) => events.waitFor("audio_stream_start", options));
  await events.close();

  const terminal = await computer.terminal();
  await terminal.read();
  await assertReleased("terminal.waitForExit", (options) => terminal.waitForExit(options));
  // The prompt may arrive in pieces, so a wait may have to be repeated.
  await assertReleased("terminal.read", (options) => readNothing(terminal, options));
  await terminal.close();
});

test("an aborted wait for the screen releases its memory", async () => {
  const screen = await computer.screen();
  await screen.screenshot();
  await assertReleased("screen.settled", (options) => screen.settled({ ...options, quiet: 60_000 }));
  await screen.close();
});

/** Reads until no output is left, so that the last wait is aborted. */
async function readNothing(terminal, options) {
  for (;;) await terminal.read(options);
}
