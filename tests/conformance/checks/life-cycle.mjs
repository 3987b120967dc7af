import assert from "node:assert/strict";
import { until } from "../../support/wait.mjs";
import { ok, refused, succeeded } from "../expect.mjs";
import { waitForStatus } from "./computers.mjs";

const KINDS = ["terminal", "audio", "events"];
const LIMIT = 120_000;

const call = (wire, { computer }, name) => wire.call("POST", `/computers/${computer.id}/${name}`);

async function password(wire, { computer }) {
  return (await wire.call("GET", `/computers/${computer.id}/vnc-password`)).body?.password;
}

/** The checks of starting, stopping and deleting. They run last, because they delete the objects that other checks use. */
export const lifeCycle = [
  {
    name: "a stop succeeds and closes the channels with 1001",
    source: "SEED, G3",
    async run(wire, state) {
      const open = await Promise.all(KINDS.map((kind) => wire.channel(kind, state)));
      for (const socket of open) {
        socket.send({ type: "ping" });
        await socket.find((frame) => frame.type === "pong");
      }
      await wire.call("POST", `/computers/${state.computer.id}/bash`, { command: "echo kept > ~/kept" });
      state.statuses = [succeeded(await call(wire, state, "stop")).status];
      for (const socket of open) assert.equal(await socket.closed(), 1001);
    },
  },
  {
    name: "a stopped computer has the status stopped and no instance",
    source: "G3, MCP",
    async run(wire, state) {
      const { instance_details } = await waitForStatus(wire, state.computer.id, "stopped");
      assert.equal(instance_details, null);
    },
  },
  {
    name: "a stopped computer has no password",
    source: "G3",
    run: async (wire, { computer }) => refused(await wire.call("GET", `/computers/${computer.id}/vnc-password`), 404),
  },
  {
    name: "a stopped computer refuses actions with 400",
    source: "G3",
    async run(wire, { computer }) {
      const { error } = refused(await wire.call("POST", `/computers/${computer.id}/click`, { x: 1, y: 1 }), 400);
      assert.match(error, /Desktop instance not available/);
    },
  },
  {
    name: "channels of a stopped computer are closed with 4404",
    source: "SEED, G3",
    async run(wire, state) {
      for (const kind of KINDS) assert.equal(await (await wire.channel(kind, state)).closed(), 4404);
    },
  },
  {
    name: "stopping a stopped computer succeeds",
    source: "G1, G3",
    run: async (wire, state) => succeeded(await call(wire, state, "stop")),
  },
  {
    name: "a start succeeds and keeps the home directory",
    source: "SEED, G3",
    async run(wire, state) {
      state.statuses.push(succeeded(await call(wire, state, "start")).status);
      await waitForStatus(wire, state.computer.id, "running");
      const { output } = ok(await wire.call("POST", `/computers/${state.computer.id}/bash`, { command: "cat ~/kept" }));
      assert.equal(output, "kept\n");
      state.password = await password(wire, state);
    },
  },
  {
    name: "a restart succeeds and changes the password",
    source: "SEED, G3",
    async run(wire, state) {
      state.statuses.push(succeeded(await call(wire, state, "restart")).status);
      const isNew = async () => {
        const now = await password(wire, state);
        return now !== undefined && now !== state.password;
      };
      await until("a new password", isNew, LIMIT);
      assert.ok([4401, 4404].includes(await (await wire.channel("events", state)).closed()));
    },
  },
  {
    name: "stop, start and restart return a transitional status",
    source: "G3",
    run: async (_, { statuses }) => assert.deepEqual(statuses, ["stopping", "starting", "restarting"]),
  },
  {
    name: "DELETE /computers/{id} deletes a computer",
    source: "SEED, G3",
    async run(wire, { computer }) {
      succeeded(await wire.call("DELETE", `/computers/${computer.id}`));
      refused(await wire.call("GET", `/computers/${computer.id}`), 404);
      refused(await wire.call("DELETE", `/computers/${computer.id}`), 404);
    },
  },
  {
    name: "DELETE /workspaces/{id} deletes a workspace with its computers",
    source: "SEED, G3",
    async run(wire, { workspace }) {
      const request = { workspace_id: workspace.id, name: "remaining" };
      const { body: remaining } = await wire.call("POST", "/computers", request);
      succeeded(await wire.call("DELETE", `/workspaces/${workspace.id}`));
      refused(await wire.call("GET", `/workspaces/${workspace.id}`), 404);
      refused(await wire.call("GET", `/computers/${remaining.id}`), 404);
    },
  },
];
