// How soon events are told: `npm run bench -- events [ROUNDS [IDLE_ROUNDS]]`, from what a program on the computer does
// to the arrival at a client, beside the intervals at which the documents say that the service looks. One program does all
// rounds, within its limit of 300 s; a round of idleness takes half a minute.
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { argv } from "node:process";
import { Wire } from "../../conformance/wire.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { until } from "../../support/wait.mjs";
import { median, quantile } from "../measure.mjs";

const [ROUNDS = 10, IDLE_ROUNDS = 2] = argv.slice(2).map(Number);
const IDLE_AFTER = 30_000;
/** In seconds, as long as a server may give a program. */
const PROGRAM_LIMIT = 300;

/** The documented intervals in milliseconds; file changes are said to be told by the kernel there too. */
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

/** What tells one event of a type from another; the rest come in the order of their causes. */
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

/** Gathers events with the time of their arrival: a map from key to time for each type. */
function gather(socket) {
  const arrived = Object.fromEntries(Object.keys(INTERVALS).map((type) => [type, new Map()]));
  const reading = (async () => {
    for (;;) {
      const { event } = await socket.find((frame) => frame.type === "event", 600_000);
      const of = arrived[event.type];
      const key = keys[event.type] ? keys[event.type](event.data) : String(of.size);
      if (key && !of.has(key)) of.set(key, now());
    }
  })();
  // It ends with the socket.
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
  const arrived = gather(socket);
  const delays = Object.fromEntries(Object.keys(INTERVALS).map((type) => [type, []]));

  const causes = readFileSync(new URL("causes.py", import.meta.url), "utf8");
  const code = causes.replace("range(ROUNDS)", `range(${ROUNDS})`);
  const limit = PROGRAM_LIMIT * 1000;
  const ran = await call("POST", `/computers/${id}/exec`, { code, timeout: PROGRAM_LIMIT }, { limit });
  if (!ran.success) throw new Error(`the causes ended: ${JSON.stringify(ran)}`);
  for (const line of ran.output.split("\n").filter(Boolean)) {
    const { type, key, at } = JSON.parse(line);
    const time = await until(`${type} ${key}`, () => arrived[type].get(key));
    delays[type].push(time - at);
  }

  for (let round = 0; round < IDLE_ROUNDS; round += 1) {
    // Nobody used the input devices while the program ran, so it may be idle already.
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

  console.log(`Events, from their cause to their arrival in milliseconds; load ${loadavg()[0].toFixed(1)}`);
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
