// Runs the workloads of the live screen, each variant in a new Chromium.
import { startBrowser } from "../../support/cdp.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { servePage } from "../../support/page.mjs";
import { openTerminal, startScene } from "../../support/scenes.mjs";
import { until } from "../../support/wait.mjs";
import { cpuTime, mainThreadTime } from "../cpu.mjs";
import { quantile, shuffled } from "../measure.mjs";
import { PROBE } from "./probe.mjs";
import { finalHash, record, startReplay } from "./recording.mjs";
import { CANVAS, VARIANTS } from "./workloads.mjs";

process.env.ORGO_BINDING = "native";
const sdk = await import("orgo-sdk");

/** The largest screen fits in the window. */
const WINDOW = ["--window-size=2000,1200"];
/** The time without a draw after which a replay is complete, in milliseconds. */
const QUIET = 500;
/** The time after which an event without an effect counts as lost, in milliseconds. */
const LIMIT = 2_000;
/** The page is blocked for this part of each interval, in milliseconds. */
const BLOCKED = [30, 50];
/** The number of events before the measured ones. */
const FIRST = 3;
/** The pause between the last draw of an event and the next event: a random time in this range, in milliseconds. */
const PAUSE = [40, 90];

/** Starts the desktop and the server of the page. */
export async function startBench() {
  const pages = await servePage(new URL("page", import.meta.url), { build: { minify: true, target: "es2022" } });
  const desktop = await startDesktop({ allowOrigins: [pages.origin] });
  const orgo = new sdk.Orgo(desktop.options);
  const workspace = await orgo.workspaces.create({ name: "bench" });
  const recordings = new Map();
  const computerOf = cached(new Map(), async (resolution) => {
    const computer = await orgo.computers.create({ workspace_id: workspace.id, name: resolution, resolution });
    await computer.waitUntilRunning();
    const [width, height] = resolution.split("x").map(Number);
    return { computer, connection: (await computer.connection()).toJSON(), size: { width, height } };
  });
  const replayOf = cached(recordings, async (scene, updates) => {
    const { computer, connection } = await computerOf("1280x720x24");
    const recording = await during(await startScene(computer, scene), () => record(sdk, connection, updates));
    const replay = await startReplay(recording);
    return { replay, recording, hash: await finalHash(sdk, recording, replay) };
  });
  const open = (source, size, variant, work) => inBrowser(pages.origin, source, size, variant, work);
  const kinds = {
    live: async ({ scene, rate, resolution, ...settings }) => {
      const { computer, connection, size } = await computerOf(resolution);
      const measureOne = (variant) =>
        open(variant === CANVAS ? rate : connection, size, variant, (view) => watch(view, settings));
      return during(await startScene(computer, scene), () => eachVariant(measureOne, [...VARIANTS, CANVAS]));
    },
    flood: async ({ scene, updates }) => {
      const { replay, recording, hash } = await replayOf(scene, updates);
      return eachVariant((variant) =>
        open(replay.connection, recording, variant, (view) =>
          play(view, replay, { hash, updates, bytes: recording.bytes.length }),
        ),
      );
    },
    latency: async ({ input, events }) => {
      const { computer, connection, size } = await computerOf("1280x720x24");
      const measureOne = (variant) => open(connection, size, variant, (view) => respond(view, input, events));
      return during(await openTerminal(computer), () => eachVariant(measureOne));
    },
  };
  return {
    /** Measures both variants of a workload. Returns their results by name. */
    measure: ({ kind, ...settings }) => kinds[kind](settings),
    async stop() {
      for (const { replay } of recordings.values()) replay.close();
      await desktop.stop();
      await pages.close();
    },
  };
}

/** Creates a value once for each first argument. */
function cached(values, create) {
  return async (name, ...more) => {
    if (!values.has(name)) values.set(name, await create(name, ...more));
    return values.get(name);
  };
}

/** Does work while a scene or a window is shown. */
async function during(shown, work) {
  try {
    return await work();
  } finally {
    await shown.stop();
  }
}

async function eachVariant(measure, variants = VARIANTS) {
  const results = {};
  for (const variant of shuffled(variants)) results[variant] = await measure(variant);
  return results;
}

/**
 * Shows a screen in a new browser. `work` receives the page, and where it draws. `source` is the connection of the screen, or the
 * number of frames per second of the bare canvas.
 */
async function inBrowser(origin, source, { width, height }, variant, work) {
  const browser = await startBrowser(WINDOW);
  try {
    // The CPU time of its tasks, which does not depend on the load of the machine.
    const page = await browser.openPage(origin, { timeDomain: "threadTicks" });
    await until("the page", () => page.evaluate("globalThis.noteEvents !== undefined"));
    await page.evaluate(PROBE);
    await page.evaluate(`open(...${JSON.stringify([variant, source, { width, height }])})`);
    const canvas = variant === "noVNC" ? page : await page.worker();
    if (canvas !== page) await canvas.evaluate(PROBE);
    await page.evaluate("show()");
    await until("the first image", () => canvas.evaluate("drawn.last > 0"));
    return await work({ browser, page, canvas });
  } finally {
    await browser.close();
  }
}

const pause = (duration) => new Promise((resolve) => setTimeout(resolve, duration));

/** Returns the times of the processes that show the page, and the number of drawn frames. All times are in milliseconds. */
async function count({ browser, page, canvas }) {
  const renderers = await browser.processes("renderer");
  return {
    time: performance.now(),
    main: (await page.busy()) * 1000,
    mainCpu: mainThreadTime(renderers),
    cpu: cpuTime([...renderers, ...(await browser.processes("GPU"))]),
    frames: await canvas.evaluate("drawn.frames.length"),
  };
}

const difference = (after, before) => Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]]));

/** Watches a moving scene. */
async function watch(view, { warmUp, duration }) {
  const { canvas } = view;
  await pause(warmUp);
  const before = await count(view);
  await pause(duration);
  await until("a frame", async () => (await canvas.evaluate("drawn.frames.length")) > before.frames, 60_000);
  const { time, main, mainCpu, cpu, frames } = difference(await count(view), before);
  const perSecond = (value) => (value * 1000) / time;
  return { fps: perSecond(frames), main: perSecond(main), mainCpu: perSecond(mainCpu), cpu: cpu / frames };
}

/** Replays a recording as fast as the page accepts it, and checks the pixels at the end. */
async function play(view, { url, isSent }, { hash, updates, bytes }) {
  const { page, canvas } = view;
  const before = await count(view);
  const start = await page.evaluate(`replay(${JSON.stringify(url)})`);
  let after;
  await until(
    "the last pixels of the recording",
    async () => {
      if (!isSent()) return false;
      const quiet = await canvas.evaluate("performance.timeOrigin + performance.now() - drawn.last");
      if (quiet < QUIET) return false;
      after = await count(view);
      return (await page.evaluate("hash()")) === hash;
    },
    120_000,
  );
  const { main, cpu, frames } = difference(after, before);
  return { wall: (await canvas.evaluate("drawn.last")) - start, main, cpu, frames, updates, bytes };
}

/** Measures the time from the event in the page to the draw of its effect, and the same with a page that is often blocked. */
async function respond({ page, canvas }, input, events) {
  await page.evaluate(`noteEvents(${JSON.stringify(input === "key" ? "keydown" : "pointermove")})`);
  const measured = {};
  for (const mode of shuffled(["free", "blocked"])) {
    if (mode === "blocked") await page.evaluate(`block(${BLOCKED})`);
    const noted = [];
    await INPUTS[input](page, FIRST + events, async (send) => {
      const drawn = await canvas.evaluate("drawn.frames.length");
      await send();
      noted.push(await page.evaluate("noted.at(-1)"));
      // A window manager that gets several moves at once handles only the last one, which may have no effect.
      await until("a draw", async () => (await canvas.evaluate("drawn.frames.length")) > drawn, LIMIT).catch(() => {});
      await between(PAUSE);
    });
    const frames = await canvas.evaluate("drawn.frames");
    if (mode === "blocked") await page.evaluate("unblock()");
    measured[mode] = latencies(noted.slice(FIRST), frames);
  }
  const { free, blocked } = measured;
  return {
    ...{ free50: quantile(free.times, 0.5), free95: quantile(free.times, 0.95) },
    ...{ blocked50: quantile(blocked.times, 0.5), blocked95: quantile(blocked.times, 0.95) },
    ...{ events: free.times.length + blocked.times.length, lost: free.lost + blocked.lost },
  };
}

/** Returns the time from each event to the first draw after it. Without a draw before the next event, the event is lost. */
function latencies(events, frames) {
  const draws = events.map((event, at) => {
    const next = events[at + 1] ?? Number.POSITIVE_INFINITY;
    return frames.find((time) => time > event && time < next) - event;
  });
  const times = draws.filter((time) => !Number.isNaN(time));
  return { times, lost: events.length - times.length };
}

const between = ([least, most]) => pause(least + (most - least) * Math.random());

/** The columns of the pointer while it drags a window. */
const [LEFT, RIGHT] = [300, 340];

/** Each sends `count` events of which each has an effect on the screen, and passes the sending of each to `one`. */
const INPUTS = {
  /** Types into the terminal, which has the focus. */
  async key(page, count, one) {
    const key = { key: "a", code: "KeyA", windowsVirtualKeyCode: 65 };
    for (let at = 0; at < count; at += 1) {
      await one(() => page.input("dispatchKeyEvent", { type: "keyDown", text: "a", ...key }));
      await page.input("dispatchKeyEvent", { type: "keyUp", ...key });
    }
  },
  /** Drags the title bar of the terminal to the right and to the left, and finally to where it was. */
  async pointer(page, count, one) {
    const event = (type, x, more) => page.input("dispatchMouseEvent", { type, x, y: 160, ...more });
    const held = { button: "left", buttons: 1 };
    await event("mouseMoved", LEFT);
    await event("mousePressed", LEFT, { ...held, clickCount: 1 });
    await between(PAUSE);
    // The first move starts the drag, and does not move the window.
    await event("mouseMoved", LEFT + 10, held);
    await between(PAUSE);
    for (let step = 1; step <= count; step += 1) await one(() => event("mouseMoved", step % 2 === 0 ? LEFT : RIGHT, held));
    await event("mouseMoved", LEFT, held);
    await event("mouseReleased", LEFT, { button: "left", clickCount: 1 });
    await between(PAUSE);
  },
};
