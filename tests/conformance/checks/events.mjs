import assert from "node:assert/strict";
import { hasFields, ok, succeeded, TIME } from "../expect.mjs";

/** The maximum time to wait for `idle`, in milliseconds. A computer sends this event after 30 s without input. */
const IDLE_LIMIT = 60_000;

/** A command that starts the first installed program of a list. Each program opens a window that stays open. */
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

/** Returns the data of the next event of a type for which `fits` returns true. */
async function next(socket, type, fits = () => true, limit = undefined) {
  const { event } = await socket.find((frame) => frame.event?.type === type && fits(frame.event.data), limit);
  hasFields(event, { timestamp: TIME, data: "object" });
  return event.data;
}

const bash = async (wire, { computer }, command) =>
  succeeded(await wire.call("POST", `/computers/${computer.id}/bash`, { command })).output.trim();

/** One check for each event type. The checks cause the events by actions on the computer. */
export const events = [
  {
    name: "no events are sent before a subscription, and only subscribed types after it",
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
    name: "file_change reports created, modified and deleted files",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["file_change"]);
      await bash(wire, state, "echo > ~/Desktop/changed; rm ~/Desktop/changed; touch ~/Downloads/changed");
      const actions = [];
      await next(socket, "file_change", ({ path, action }) => {
        assert.match(path, /^\/.*\/changed$/);
        actions.push(action);
        return /Downloads/.test(path);
      });
      assert.deepEqual([...new Set(actions)], ["created", "modified", "deleted"]);
      socket.close();
    },
  },
  {
    name: "unsubscribe is confirmed and stops the events of a type",
    source: "G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["file_change", "clipboard"]);
      socket.send({ type: "unsubscribe", event_types: ["file_change"] });
      assert.equal((await socket.find((frame) => frame.type === "unsubscribed")).message, "ok");
      await bash(wire, state, "touch ~/Desktop/ignored; sleep 0.5");
      socket.send({ type: "ping" });
      assert.equal((await socket.frame()).type, "pong");
      socket.close();
    },
  },
  {
    name: "an unknown type causes an error message",
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
    name: "window_open, window_focus and window_close report a window",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["window_open", "window_focus", "window_close"]);
      const program = await bash(wire, state, WINDOW);
      assert.ok(program, "no program with a window is installed");
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
    name: "clipboard reports copied text",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["clipboard"]);
      await bash(wire, state, "printf 'copied é 世界' | xclip -selection clipboard");
      assert.deepEqual(await next(socket, "clipboard"), { content: "copied é 世界" });
      socket.close();
    },
  },
  {
    name: "process_start and process_stop report a process",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await subscribed(wire, state, ["process_start", "process_stop"]);
      const pid = Number(await bash(wire, state, "sleep 1000 > /dev/null 2>&1 & echo $!"));
      const isProcess = (data) => data.pid === pid && data.name === "sleep";
      await next(socket, "process_start", isProcess);
      await bash(wire, state, `kill ${pid}`);
      await next(socket, "process_stop", isProcess);
      socket.close();
    },
  },
  {
    name: "audio_stream_start and audio_stream_stop report playback",
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
    name: "screen_change reports the new size",
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

/** The check that subscribes to `idle`. The checks from here to `idleEnds` send no input, so the computer becomes idle. */
export const idleBegins = {
  name: "a client can subscribe to idle and active",
  source: "SEED",
  run: async (wire, state) => (state.idle = await subscribed(wire, state, ["idle", "active"])),
};

export const idleEnds = {
  name: "idle is sent after 30 s without input, and active at the next input",
  source: "SEED, G3",
  async run(wire, { idle, computer }) {
    const { idle_seconds } = await next(idle, "idle", undefined, IDLE_LIMIT);
    assert.ok(Number.isInteger(idle_seconds) && idle_seconds >= 30, `idle_seconds is ${idle_seconds}`);
    ok(await wire.call("POST", `/computers/${computer.id}/click`, { x: 640, y: 400 }));
    assert.deepEqual(await next(idle, "active"), {});
    idle.close();
  },
};
