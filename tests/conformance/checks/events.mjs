import assert from "node:assert/strict";
import { hasFields, ok, succeeded, TIME } from "../expect.mjs";

/** An idle computer says so after half a minute. */
const IDLE_LIMIT = 60_000;

/** Starts a program with a window that stays: the first of those that are there. */
const WINDOW = `for program in xterm xfce4-terminal gnome-terminal mousepad; do
  command -v $program > /dev/null && { setsid $program > /dev/null 2>&1 & echo $program; break; }
done`;

async function subscribed(wire, state, event_types) {
  const socket = await wire.channel("events", state);
  socket.send({ type: "subscribe", event_types });
  const { message } = await socket.find((frame) => frame.type === "subscribed");
  assert.equal(message, "ok");
  return socket;
}

/** The data of the next event of a type that fits. */
async function next(socket, type, fits = () => true, limit = undefined) {
  const { event } = await socket.find((frame) => frame.event?.type === type && fits(frame.event.data), limit);
  hasFields(event, { timestamp: TIME, data: "object" });
  return event.data;
}

const bash = async (wire, { computer }, command) =>
  succeeded(await wire.call("POST", `/computers/${computer.id}/bash`, { command })).output.trim();

/** Each type by what really happens on the computer. */
export const events = [
  {
    name: "nothing comes before a subscription, and no other type after it",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await wire.channel("events", state);
      await bash(wire, state, "touch ~/Desktop/before");
      socket.send({ type: "subscribe", event_types: ["file_change"] });
      assert.equal((await socket.frame()).type, "subscribed");
      await bash(wire, state, "sleep 0.5; touch ~/Desktop/after");
      const { event } = await socket.frame();
      assert.deepEqual([event.type, event.data.path.split("/").at(-1)], ["file_change", "after"]);
      socket.close();
    },
  },
  {
    name: "file_change tells of files made, changed and removed",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["file_change"]);
      await bash(wire, state, "echo > ~/Desktop/told; rm ~/Desktop/told; touch ~/Downloads/told");
      const actions = [];
      await next(socket, "file_change", ({ path, action }) => {
        assert.match(path, /^\/.*\/told$/);
        actions.push(action);
        return /Downloads/.test(path);
      });
      assert.deepEqual([...new Set(actions)], ["created", "modified", "deleted"]);
      socket.close();
    },
  },
  {
    name: "unsubscribe is confirmed, and ends a type",
    source: "G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["file_change", "clipboard"]);
      socket.send({ type: "unsubscribe", event_types: ["file_change"] });
      assert.equal((await socket.find((frame) => frame.type === "unsubscribed")).message, "ok");
      await bash(wire, state, "touch ~/Desktop/unheard; sleep 0.5");
      socket.send({ type: "ping" });
      assert.equal((await socket.frame()).type, "pong");
      socket.close();
    },
  },
  {
    name: "an unknown type is answered with an error",
    source: "G3",
    async run(wire, state) {
      const socket = await wire.channel("events", state);
      socket.send({ type: "subscribe", event_types: ["window_shrink"] });
      const { message } = await socket.find((frame) => frame.type === "error");
      assert.match(message, /Unknown event type/);
      socket.close();
    },
  },
  {
    name: "window_open, window_focus and window_close tell of a window",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["window_open", "window_focus", "window_close"]);
      const program = await bash(wire, state, WINDOW);
      assert.ok(program, "there is no program with a window to open");
      const opened = await next(socket, "window_open");
      hasFields(opened, { window_id: /^0x[0-9a-f]+$/, title: "string" });
      const same = ({ window_id }) => window_id === opened.window_id;
      hasFields(await next(socket, "window_focus", same), { title: "string" });
      await bash(wire, state, `pkill -f ${program}; true`);
      await next(socket, "window_close", same);
      socket.close();
    },
  },
  {
    name: "clipboard tells what was copied",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["clipboard"]);
      await bash(wire, state, "printf 'copied é 世界' | xclip -selection clipboard");
      assert.deepEqual(await next(socket, "clipboard"), { content: "copied é 世界" });
      socket.close();
    },
  },
  {
    name: "process_start and process_stop tell of a process",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["process_start", "process_stop"]);
      const pid = Number(await bash(wire, state, "sleep 1000 > /dev/null 2>&1 & echo $!"));
      const it = (data) => data.pid === pid && data.name === "sleep";
      await next(socket, "process_start", it);
      await bash(wire, state, `kill ${pid}`);
      await next(socket, "process_stop", it);
      socket.close();
    },
  },
  {
    name: "audio_stream_start and audio_stream_stop tell of sound",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["audio_stream_start", "audio_stream_stop"]);
      await bash(wire, state, "head -c 200000 /dev/zero | pacat --raw");
      assert.deepEqual(await next(socket, "audio_stream_start"), {});
      assert.deepEqual(await next(socket, "audio_stream_stop"), {});
      socket.close();
    },
  },
  {
    name: "screen_change tells the new size",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["screen_change"]);
      await bash(wire, state, "xrandr -s 1024x768");
      assert.deepEqual(await next(socket, "screen_change"), { width: 1024, height: 768 });
      await bash(wire, state, "xrandr -s 1280x720");
      assert.deepEqual(await next(socket, "screen_change"), { width: 1280, height: 720 });
      socket.close();
    },
  },
];

/** Subscribes to what the other checks, in which nobody uses the screen, give time for. */
export const idlenessBegins = {
  name: "idle and active are subscribed to",
  source: "SEED",
  run: async (wire, state) => (state.idle = await subscribed(wire, state, ["idle", "active"])),
};

export const idlenessEnds = {
  name: "idle comes after half a minute without input, and active with the next",
  source: "SEED, G3",
  async run(wire, { idle, computer }) {
    const { idle_seconds } = await next(idle, "idle", undefined, IDLE_LIMIT);
    assert.ok(Number.isInteger(idle_seconds) && idle_seconds >= 30, `idle_seconds is ${idle_seconds}`);
    ok(await wire.call("POST", `/computers/${computer.id}/click`, { x: 640, y: 400 }));
    assert.deepEqual(await next(idle, "active"), {});
    idle.close();
  },
};
