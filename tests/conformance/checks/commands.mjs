import assert from "node:assert/strict";
import { ok, refused, succeeded } from "../expect.mjs";

const bash = (wire, computer, request) => wire.call("POST", `/computers/${computer.id}/bash`, request);
const exec = (wire, computer, request) => wire.call("POST", `/computers/${computer.id}/exec`, request);

export const commands = [
  {
    name: "bash merges stdout and stderr, and returns the exit code",
    source: "SEED, G3",
    async run(wire, { computer }) {
      const command = "echo out; echo err >&2; exit 3";
      const body = succeeded(await bash(wire, computer, { command }));
      assert.deepEqual([body.output.split("\n").filter(Boolean).sort(), body.exit_code], [["err", "out"], 3]);
      assert.deepEqual([body.action, body.command], ["bash", command]);
    },
  },
  {
    name: "bash without a command is refused with 400",
    source: "SEED, G3",
    run: async (wire, { computer }) => refused(await bash(wire, computer, {}), 400),
  },
  {
    name: "a timeout of bash is an upstream error",
    source: "G3",
    async run(wire, { computer }) {
      const body = refused(await bash(wire, computer, { command: "sleep 30", timeout: 1 }), 500, 504);
      assert.ok([408, 504].includes(body.upstream_status), `upstream_status is ${body.upstream_status}`);
    },
  },
  {
    name: "a timeout of more than 300 s is refused with 400",
    source: "G3, BOPS, MCP",
    async run(wire, { computer }) {
      refused(await bash(wire, computer, { command: "true", timeout: 301 }), 400);
      refused(await exec(wire, computer, { code: "pass", timeout: 301 }), 400);
    },
  },
  {
    name: "exec returns the output",
    source: "SEED, G3",
    async run(wire, { computer }) {
      const body = succeeded(await exec(wire, computer, { code: "print(6 * 7)" }));
      assert.deepEqual([body.action, body.output.trim(), body.timeout], ["exec", "42", false]);
    },
  },
  {
    name: "exec reports an exception with 200",
    source: "G3",
    async run(wire, { computer }) {
      const body = ok(await exec(wire, computer, { code: "print(missing)" }));
      assert.deepEqual([body.success, body.error_type], [false, "NameError"]);
      assert.match(body.error, /missing/);
    },
  },
  {
    name: "exec starts a new interpreter for each call",
    source: "G3",
    async run(wire, { computer }) {
      succeeded(await exec(wire, computer, { code: "kept = 1" }));
      assert.equal(ok(await exec(wire, computer, { code: "kept" })).error_type, "NameError");
    },
  },
  {
    name: "a timeout of exec is reported with 200",
    source: "G3",
    async run(wire, { computer }) {
      const body = ok(await exec(wire, computer, { code: "import time; time.sleep(30)", timeout: 1 }));
      assert.deepEqual([body.success, body.timeout], [false, true]);
    },
  },
  {
    name: "the default timeout of exec is 10 s",
    source: "SEED",
    async run(wire, { computer }) {
      const body = ok(await exec(wire, computer, { code: "import time; time.sleep(25)" }));
      assert.deepEqual([body.success, body.timeout], [false, true]);
    },
  },
  {
    name: "exec without code is refused with 400",
    source: "SEED, G3",
    run: async (wire, { computer }) => refused(await exec(wire, computer, {}), 400),
  },
];
