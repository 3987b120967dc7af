// Measures the delay of events: `npm run bench -- events [ROUNDS [IDLE_ROUNDS]]`. The delay is the time from an action on
// the computer to the arrival of the event at a client. The table also contains the documented polling intervals of the
// service. One program on the computer runs all rounds, within the time limit of 300 s. An idle round takes half a minute.
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { argv } from "node:process";
import { Wire } from "../../conformance/wire.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { until } from "../../support/wait.mjs";
import { median, quantile } from "../measure.mjs";

const [ROUNDS = 10, IDLE_ROUNDS = 2] = argv.slice(2).map(Number);
const IDLE_AFTER = 30_000;
/** The maximum time limit that the server allows for a program, in seconds. */
const PROGRAM_LIMIT = 300;

/** The documented polling intervals, in milliseconds. `file_change` has none, because the kernel reports file changes. */
const INTERVALS = {
  window_open: 100,
  window_focus: 100,
  window_close: 100,
  clipboard: 250,
  file_change: undefined,
  process_start: 2000,
  process_stop: 2000,
  screen_change: 1000,
  audio_stream_start: 500,
  audio_stream_stop: 500,
  idle: 1000,
  active: 1000,
};

/**
 * For each event type, a function that returns the key that identifies an event. Events of the types without a function
 * are matched by their order.
 */
const keys = {
  window_open: ({ window_id }) => window_id,
  window_focus: ({ window_id }) => window_id,
  window_close: ({ window_id }) => window_id,
  clipboard: ({ content }) => content,
  file_change: ({ path, action }) => action === "created" && path,
  process_start: ({ pid }) => String(pid),
  process_stop: ({ pid }) => String(pid),
};

const now = () => performance.timeOrigin + performance.now();

/** Collects the arrival times of events. Returns a map from key to time for each event type. */
function collect(socket) {
  const arrived = Object.fromEntries(Object.keys(INTERVALS).map((type) => [type, new Map()]));
  const reading = (async () => {
    for (;;) {
      const { event } = await socket.find((frame) => frame.type === "event", 600_000);
      const of = arrived[event.type];
      const key = keys[event.type] ? keys[event.type](event.data) : String(of.size);
      if (key && !of.has(key)) of.set(key, now());
    }
  })();
  // The read loop fails when the socket is closed.
  reading.catch(() => {});
  return arrived;
}

const desktop = await startDesktop();
try {
  const wire = new Wire(desktop.options);
  const call = async (method, path, body, options) => (await wire.call(method, path, body, options)).body;
  const workspace = await call("POST", "/workspaces", { name: "bench" });
  const { id } = await call("POST", "/computers", { workspace_id: workspace.id, name: "events" });
  const { password } = await until("the password", async () => {
    const body = await call("GET", `/computers/${id}/vnc-password`);
    return body.password && body;
  });
  const socket = await wire.channel("events", { computer: await call("GET", `/computers/${id}`), password });
  socket.send({ type: "subscribe", event_types: Object.keys(INTERVALS) });
  await socket.find((frame) => frame.type === "subscribed");
  const arrived = collect(socket);
  const delays = Object.fromEntries(Object.keys(INTERVALS).map((type) => [type, []]));

  const causes = readFileSync(new URL("causes.py", import.meta.url), "utf8");
  const code = causes.replace("range(ROUNDS)", `range(${ROUNDS})`);
  const limit = PROGRAM_LIMIT * 1000;
  const ran = await call("POST", `/computers/${id}/exec`, { code, timeout: PROGRAM_LIMIT }, { limit });
  if (!ran.success) throw new Error(`causes.py failed: ${JSON.stringify(ran)}`);
  for (const line of ran.output.split("\n").filter(Boolean)) {
    const { type, key, at } = JSON.parse(line);
    const time = await until(`${type} ${key}`, () => arrived[type].get(key));
    delays[type].push(time - at);
  }

  for (let round = 0; round < IDLE_ROUNDS; round += 1) {
    // The computer may already be idle, because no input arrived while the program ran.
    await call("POST", `/computers/${id}/click`, { x: 640, y: 400 });
    await until("active", () => arrived.active.size === arrived.idle.size);
    const next = String(arrived.idle.size);
    const idle = now() + IDLE_AFTER;
    await call("POST", `/computers/${id}/click`, { x: 640, y: 400 });
    delays.idle.push((await until("idle", () => arrived.idle.get(next), IDLE_AFTER * 2)) - idle);
    const active = now();
    await call("POST", `/computers/${id}/click`, { x: 640, y: 400 });
    delays.active.push((await until("active", () => arrived.active.get(next))) - active);
  }
  socket.close();

  console.log(`Events: time from the cause to the arrival in milliseconds; load ${loadavg()[0].toFixed(1)}`);
  const rounded = (value) => Number(value.toFixed(1));
  console.table(
    Object.entries(delays)
      .filter(([, values]) => values.length > 0)
      .map(([type, values]) => ({
        ...{ type, times: values.length, median: rounded(median(values)), p95: rounded(quantile(values, 0.95)) },
        ...{ longest: rounded(Math.max(...values)), "documented interval": INTERVALS[type] ?? "none" },
      })),
  );
} finally {
  await desktop.stop();
}
