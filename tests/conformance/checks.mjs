// What the documented protocol promises, each as a check of its own: what is done, what docs/protocol.md says, and whether it is so.
import assert from "node:assert/strict";
import { until } from "../support/wait.mjs";

/** @typedef {import("./wire.mjs").Wire} Wire */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function hasFields(value, fields) {
  for (const [name, kind] of Object.entries(fields)) {
    const found = value?.[name];
    const fits = kind instanceof RegExp ? kind.test(found) : Array.isArray(kind) ? kind.includes(found) : typeof found === kind;
    assert.ok(fits, `${name} is ${JSON.stringify(found)}, not ${kind}`);
  }
}

/** What is said of a call that a server does not have at all. */
export const NOT_OFFERED = "not offered (501)";

const offered = ({ status, body }) => {
  assert.notEqual(status, 501, NOT_OFFERED);
  assert.equal(status, 200);
  return body;
};

const succeeded = (answer) => {
  assert.equal(answer.status, 200);
  assert.equal(answer.body.success, true);
  return answer.body;
};

const refused = (answer, ...statuses) => {
  assert.ok(statuses.includes(answer.status), `status ${answer.status}, not ${statuses.join(" or ")}`);
  assert.equal(typeof answer.body?.error, "string", "the body has no error");
};

/** Signature bytes of the pictures that a screenshot may be. */
function pictureKind(bytes) {
  if (bytes.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) return "png";
  if (bytes.subarray(0, 2).equals(Buffer.from([0xff, 0xd8]))) return "jpeg";
  return undefined;
}

/**
 * In the order of their running: later ones use what earlier ones made.
 *
 * @type {{ name: string, source: string, run: (wire: Wire, state: any) => Promise<void> }[]}
 */
export const checks = [
  {
    name: "a call without a key is refused with 401 and an error",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", "/workspaces", undefined, { key: null }), 401),
  },
  {
    name: "a call with an unknown key is refused with 401 and an error",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", "/workspaces", undefined, { key: "sk_live_unknown" }), 401),
  },
  {
    name: "POST /workspaces makes one",
    source: "SEED, G3",
    async run(wire, state) {
      const { status, body } = await wire.call("POST", "/workspaces", { name: state.name });
      assert.ok([200, 201].includes(status), `status ${status}`);
      hasFields(body, { id: UUID, name: "string" });
      assert.equal(body.name, state.name);
      state.workspace = body;
    },
  },
  {
    name: "a taken name is refused with 400",
    source: "G3",
    run: async (wire, state) => refused(await wire.call("POST", "/workspaces", { name: state.name }), 400),
  },
  {
    name: "GET /workspaces lists it under workspaces",
    source: "SEED, G3",
    async run(wire, state) {
      const { status, body } = await wire.call("GET", "/workspaces");
      assert.equal(status, 200);
      const listed = body.workspaces.find(({ id }) => id === state.workspace.id);
      hasFields(listed, { name: "string", created_at: TIME });
    },
  },
  {
    name: "GET /workspaces/{id} gives it bare",
    source: "SEED, G3",
    async run(wire, state) {
      const { status, body } = await wire.call("GET", `/workspaces/${state.workspace.id}`);
      assert.equal(status, 200);
      assert.equal(body.id, state.workspace.id);
    },
  },
  {
    name: "GET /projects lists it under projects",
    source: "LLMS-NEW, PY",
    async run(wire, state) {
      const { status, body } = await wire.call("GET", "/projects");
      assert.equal(status, 200);
      assert.ok(body.projects.some(({ id }) => id === state.workspace.id));
    },
  },
  {
    name: "POST /computers makes one of the default size",
    source: "SEED",
    async run(wire, state) {
      const request = { workspace_id: state.workspace.id, name: "conformance" };
      const { status, body } = await wire.call("POST", "/computers", request);
      assert.ok([200, 201].includes(status), `status ${status}`);
      hasFields(body, { id: UUID, name: "string", os: /^linux$/, ram: "number", cpu: "number", status: "string" });
      state.computer = body;
      assert.deepEqual([body.ram, body.cpu], [4, 2]);
    },
  },
  {
    name: "GET /computers/{id} comes to say running",
    source: "SEED, G3",
    async run(wire, state) {
      const running = await until(
        "the computer to run",
        async () => {
          const { body } = await wire.call("GET", `/computers/${state.computer.id}`);
          return body?.status === "running" && body;
        },
        120_000,
      );
      assert.ok(running.instance_id ?? running.fly_instance_id, "it has no instance id");
      state.computer = running;
    },
  },
  {
    name: "an unknown computer is 404",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", "/computers/00000000-0000-4000-8000-000000000000"), 404),
  },
  {
    name: "GET vnc-password gives the password",
    source: "SEED",
    async run(wire, state) {
      const { status, body } = await wire.call("GET", `/computers/${state.computer.id}/vnc-password`);
      assert.equal(status, 200);
      hasFields(body, { password: /./ });
      state.password = body.password;
    },
  },
  action("a click is told with its place", "click", { x: 100, y: 100 }, { action: "click" }),
  action("a double click is one", "click", { x: 100, y: 100, double: true }, { action: "double_click" }),
  action("the right button clicks", "click", { x: 100, y: 100, button: "right" }, { action: "click" }),
  action("a key is pressed", "key", { key: "Escape" }, { action: "key_press" }),
  action("a combination is pressed", "key", { key: "ctrl+c" }, { action: "key_press" }),
  action("coordinate 0 is clicked", "click", { x: 0, y: 0 }, { action: "click" }),
  action(
    "a drag goes from place to place",
    "drag",
    { start_x: 10, start_y: 10, end_x: 60, end_y: 60, button: "left", duration: 0.1 },
    { action: "drag" },
  ),
  action("text is typed", "type", { text: "hello" }, { action: "type", details: { text_length: 5 } }),
  action("the wheel turns", "scroll", { direction: "down", amount: 2 }, { action: "scroll" }),
  action("the wheel turns at a place", "scroll", { direction: "up", amount: 2, x: 50, y: 50 }, { action: "scroll" }),
  action("a wait is taken by duration", "wait", { duration: 0.1 }, { action: "wait" }),
  action("a wait is taken by seconds", "wait", { seconds: 0.1 }, { action: "wait" }),
  {
    name: "a missing field is refused with 400",
    source: "G3",
    run: async (wire, state) => refused(await wire.call("POST", `/computers/${state.computer.id}/click`, { x: 1 }), 400),
  },
  {
    name: "a body that is no JSON is refused with 400",
    source: "G3",
    run: async (wire, state) =>
      refused(await wire.call("POST", `/computers/${state.computer.id}/click`, undefined, { text: "{" }), 400),
  },
  screenshot("a screenshot is a picture", "", "SEED, G3"),
  screenshot("a screenshot is a picture in the answer", "?response_format=base64", "PY"),
  screenshot("a screenshot is a JPEG if asked", "?response_format=base64&format=jpeg", "BOPS", "jpeg"),
  {
    name: "bash merges its output and tells the exit code",
    source: "SEED, G3",
    async run(wire, state) {
      const command = "echo out; echo err >&2; exit 3";
      const body = succeeded(await wire.call("POST", `/computers/${state.computer.id}/bash`, { command }));
      assert.deepEqual([body.output.split("\n").filter(Boolean).sort(), body.exit_code], [["err", "out"], 3]);
    },
  },
  {
    name: "bash out of time is an error of the computer",
    source: "G3",
    async run(wire, state) {
      const answer = await wire.call("POST", `/computers/${state.computer.id}/bash`, { command: "sleep 30", timeout: 1 });
      refused(answer, 500, 504);
    },
  },
  {
    name: "exec gives the output",
    source: "SEED, G3",
    async run(wire, state) {
      const body = succeeded(await wire.call("POST", `/computers/${state.computer.id}/exec`, { code: "print(6 * 7)" }));
      assert.deepEqual([body.output.trim(), body.timeout], ["42", false]);
    },
  },
  {
    name: "exec tells the exception with 200",
    source: "G3",
    async run(wire, state) {
      const { status, body } = await wire.call("POST", `/computers/${state.computer.id}/exec`, { code: "1 / 0" });
      assert.deepEqual([status, body.success, body.error_type], [200, false, "ZeroDivisionError"]);
    },
  },
  {
    name: "exec out of time is told with 200",
    source: "G3",
    async run(wire, state) {
      const request = { code: "import time; time.sleep(30)", timeout: 1 };
      const { status, body } = await wire.call("POST", `/computers/${state.computer.id}/exec`, request);
      assert.deepEqual([status, body.success, body.timeout], [200, false, true]);
    },
  },
  {
    name: "the terminal echoes a command's output and ends with its exit code",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("terminal", state);
      socket.send({ type: "input", data: "echo $((40 + 2))-terminal; exit 7\r" });
      let text = "";
      const exit = await socket.find((frame) => {
        if (frame.type === "output") text += frame.data;
        return frame.type === "exit";
      });
      assert.match(text, /42-terminal/);
      assert.equal(exit.code, 7);
    },
  },
  channel("terminal"),
  channel("audio"),
  channel("events"),
  {
    name: "the audio channel starts with 24 kHz in frames of 20 ms",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("audio", state);
      const started = await socket.find((frame) => frame.type === "started");
      assert.deepEqual([started.sample_rate, started.channels], [24_000, 1]);
      assert.equal((await socket.bytes()).length, 960);
      socket.close();
    },
  },
  {
    name: "the events channel confirms a subscription and tells of a file",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("events", state);
      socket.send({ type: "subscribe", event_types: ["file_change"] });
      await socket.find((frame) => frame.type === "subscribed");
      await wire.call("POST", `/computers/${state.computer.id}/bash`, { command: "echo > ~/Desktop/conformance" });
      const { event } = await socket.find((frame) => frame.type === "event");
      hasFields(event, { type: /^file_change$/, timestamp: TIME });
      assert.match(event.data.path, /Desktop\/conformance$/);
      socket.close();
    },
  },
  {
    name: "a channel with a wrong token is closed with 4401",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("events", { ...state, password: "wrong" });
      assert.equal(await socket.closed(), 4401);
    },
  },
  {
    name: "files of a workspace are listed",
    source: "SEED, G3",
    async run(wire, state) {
      const body = offered(await wire.call("GET", `/files?projectId=${state.workspace.id}`));
      assert.ok(Array.isArray(body.files));
    },
  },
  {
    name: "a computer without a stream says idle",
    source: "SEED, G1",
    async run(wire, state) {
      const body = offered(await wire.call("GET", `/computers/${state.computer.id}/stream/status`));
      assert.equal(body.status, "idle");
    },
  },
  {
    name: "a restart succeeds and changes the password",
    source: "G3",
    async run(wire, state) {
      succeeded(await wire.call("POST", `/computers/${state.computer.id}/restart`));
      await until(
        "another password",
        async () => {
          const { status, body } = await wire.call("GET", `/computers/${state.computer.id}/vnc-password`);
          return status === 200 && body.password !== state.password;
        },
        120_000,
      );
    },
  },
  {
    name: "a stopped computer says so and refuses actions with 400",
    source: "SEED, G3",
    async run(wire, state) {
      succeeded(await wire.call("POST", `/computers/${state.computer.id}/stop`));
      await until(
        "the computer to stop",
        async () => (await wire.call("GET", `/computers/${state.computer.id}`)).body?.status === "stopped",
        120_000,
      );
      refused(await wire.call("POST", `/computers/${state.computer.id}/click`, { x: 1, y: 1 }), 400);
    },
  },
  {
    name: "DELETE /computers/{id} removes it",
    source: "SEED, G3",
    async run(wire, state) {
      succeeded(await wire.call("DELETE", `/computers/${state.computer.id}`));
      refused(await wire.call("GET", `/computers/${state.computer.id}`), 404);
    },
  },
  {
    name: "DELETE /workspaces/{id} removes it",
    source: "SEED, G3",
    async run(wire, state) {
      succeeded(await wire.call("DELETE", `/workspaces/${state.workspace.id}`));
      refused(await wire.call("GET", `/workspaces/${state.workspace.id}`), 404);
    },
  },
];

function action(name, call, request, expected) {
  return {
    name,
    source: "SEED, G3",
    async run(wire, state) {
      const body = succeeded(await wire.call("POST", `/computers/${state.computer.id}/${call}`, request));
      assert.equal(body.action, expected.action);
      if (expected.details) assert.deepEqual({ ...body.details, ...expected.details }, body.details);
    },
  };
}

function screenshot(name, query, source, kind) {
  return {
    name,
    source,
    async run(wire, state) {
      const { status, body } = await wire.call("GET", `/computers/${state.computer.id}/screenshot${query}`);
      assert.equal(status, 200);
      const text = body.image.replace(/^data:[^,]*,/, "");
      if (/^(https?:\/)?\//.test(text) && !body.mime_type) return;
      const found = pictureKind(Buffer.from(text, "base64"));
      assert.ok(kind === undefined ? found : found === kind, `the picture is ${found}`);
    },
  };
}

function channel(kind) {
  return {
    name: `the ${kind} channel answers a ping`,
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel(kind, state);
      socket.send({ type: "ping" });
      await socket.find((frame) => frame.type === "pong");
      socket.close();
    },
  };
}
