// The process whose memory `screen.test.mjs` measures. It receives orders from the test, and reports its memory after each.
import { EventEmitter, once } from "node:events";
import { readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Orgo } from "orgo-sdk";
import { repeat } from "./load.mjs";

/** A long timeout, because the test must also pass on a slow machine. */
const LIMIT = { timeout: 600_000 };

const computer = Orgo.connect(JSON.parse(process.argv[2]));
const kept = [];
let watching;

const orders = {
  /** Opens and closes screens. Each waits for the whole screen. */
  open: (count) =>
    repeat(count, async () => {
      const screen = await computer.screen({}, LIMIT);
      await screen.screenshot({ format: "rgba", region: { x: 0, y: 0, width: 1, height: 1 } }, LIMIT);
      await screen.close();
    }),

  /** Opens and closes screens, and keeps them like a garbage collector that runs late. */
  async keep(count) {
    for (let index = 0; index < count; index += 1) {
      const screen = await computer.screen({}, LIMIT);
      await screen.screenshot({ format: "rgba", region: { x: 0, y: 0, width: 1, height: 1 } }, LIMIT);
      await screen.close();
      kept.push(screen);
    }
  },

  /** Starts to use one screen: reads its changes, and takes an image after each. */
  async watch() {
    const screen = await computer.screen({}, LIMIT);
    const seen = { changes: 0, images: 0 };
    const turns = new EventEmitter();
    watching = { screen, seen, turns, paused: false };
    watching.reading = (async () => {
      for await (const { rects } of screen) {
        seen.changes += rects.length;
        await screen.screenshot({ format: seen.images % 10 === 0 ? "png" : "rgba" }, LIMIT);
        seen.images += 1;
        if (!watching.paused) continue;
        turns.emit("paused");
        await once(turns, "resumed");
      }
    })();
  },

  /** Pauses the reading after an image, so that the process holds no image. */
  async pause() {
    watching.paused = true;
    await once(watching.turns, "paused");
  },

  resume() {
    watching.paused = false;
    watching.turns.emit("resumed");
  },

  /** Returns the number of changes and images since the last call, and the counters of the channel. */
  async seen() {
    const { screen, seen } = watching;
    const result = { ...seen, state: screen.state.status, counters: screen.counters };
    Object.assign(seen, { changes: 0, images: 0 });
    return result;
  },

  async end() {
    if (watching === undefined) return;
    // The screen can be closed before an image of its last change.
    const reading = watching.reading.catch((error) => {
      if (error.kind !== "closed") throw error;
    });
    await watching.screen.close();
    await reading;
  },
};

process.on("message", async ([name, argument]) => {
  const result = await orders[name](argument);
  // The memory of a buffer is freed some time after the collection that finds it unused.
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc();
    await setTimeout(20);
  }
  const descriptors = readdirSync("/proc/self/fd").length;
  process.send({ result, memory: process.memoryUsage.rss(), descriptors, cpu: process.cpuUsage() });
  if (name === "end") process.disconnect();
});
