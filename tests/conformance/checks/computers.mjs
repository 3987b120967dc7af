import assert from "node:assert/strict";
import { until } from "../../support/wait.mjs";
import { created, hasFields, ok, refused, succeeded, TIME, UNKNOWN, UUID } from "../expect.mjs";

const BOOT_LIMIT = 120_000;
const COMPUTER = { id: UUID, name: "string", os: "string", ram: "number", cpu: "number", status: "string" };

/** Waits until a computer has a status, and returns the computer's record. */
export function waitForStatus(wire, id, status) {
  return until(
    `the computer to be ${status}`,
    async () => {
      const { body } = await wire.call("GET", `/computers/${id}`);
      return body?.status === status && body;
    },
    BOOT_LIMIT,
  );
}

export const computers = [
  {
    name: "POST /computers creates a computer of the default size",
    source: "SEED",
    async run(wire, state) {
      const request = { workspace_id: state.workspace.id, name: "conformance" };
      const body = created(await wire.call("POST", "/computers", request));
      hasFields(body, COMPUTER);
      state.computer = body;
      assert.deepEqual([body.name, body.os, body.ram, body.cpu], ["conformance", "linux", 4, 2]);
    },
  },
  {
    name: "a new computer has its addresses",
    source: "G3",
    async run(_, { computer, workspace }) {
      hasFields(computer, { resolution: /^1280x720x24$/, created_at: TIME, hostname: "string" });
      hasFields(computer, { connection_url: /\/desktops\/[^/]+$/, url: /^https?:/, vnc_password: ["string", null] });
      assert.equal(computer.workspace_id, workspace.id);
    },
  },
  {
    name: "the status of GET /computers/{id} becomes running",
    source: "SEED, G3",
    async run(wire, state) {
      const running = await waitForStatus(wire, state.computer.id, "running");
      hasFields(running, COMPUTER);
      assert.ok(running.instance_id ?? running.fly_instance_id, "the computer has no instance id");
      state.computer = running;
    },
  },
  {
    name: "a computer has its instance id under both names",
    source: "G3, VNC-0.3",
    async run(_, { computer }) {
      hasFields(computer, { instance_id: "string", fly_instance_id: "string" });
      assert.equal(computer.instance_id, computer.fly_instance_id);
      assert.ok(computer.connection_url.endsWith(`/desktops/${computer.instance_id}`), computer.connection_url);
    },
  },
  {
    name: "a computer contains the id and name of its workspace",
    source: "G1, G3, BOPS",
    async run(_, { computer, workspace }) {
      assert.deepEqual([computer.project_id, computer.project_name], [workspace.id, workspace.name]);
    },
  },
  {
    name: "a running computer has details with its instance and its resolution",
    source: "PY, BOPS",
    async run(_, { computer }) {
      hasFields(computer.instance_details, { id: "string", resolution: /^1280x720x24$/ });
    },
  },
  {
    name: "a computer has the size of its disk",
    source: "G3",
    run: async (_, { computer }) => hasFields(computer, { disk_size_gb: "number" }),
  },
  {
    name: "a workspace lists its computers as desktops",
    source: "G3, PY, MCP, BOPS",
    async run(wire, { computer, workspace }) {
      const { desktops } = ok(await wire.call("GET", `/workspaces/${workspace.id}`));
      hasFields(
        desktops.find(({ id }) => id === computer.id),
        COMPUTER,
      );
    },
  },
  {
    name: "an unknown computer is refused with 404",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", `/computers/${UNKNOWN}`), 404),
  },
  {
    name: "GET vnc-password returns the password",
    source: "SEED",
    async run(wire, state) {
      const { password } = ok(await wire.call("GET", `/computers/${state.computer.id}/vnc-password`));
      assert.match(password, /./);
      state.password = password;
    },
  },
  {
    name: "the record of a computer contains the same password",
    source: "G3",
    run: async (_, { computer, password }) => assert.equal(computer.vnc_password, password),
  },
  {
    name: "GET /computers accepts an instance id",
    source: "MCP",
    async run(wire, { computer }) {
      const instance = computer.instance_id ?? computer.fly_instance_id;
      assert.equal(ok(await wire.call("GET", `/computers/${instance}`)).id, computer.id);
    },
  },
  {
    name: "POST ensure-running returns the computer",
    source: "MCP, OS1",
    async run(wire, { computer }) {
      const body = ok(await wire.call("POST", `/computers/${computer.id}/ensure-running`));
      assert.equal(body.id, computer.id);
    },
  },
  {
    name: "starting a running computer succeeds",
    source: "G1, G3",
    run: async (wire, { computer }) => succeeded(await wire.call("POST", `/computers/${computer.id}/start`)),
  },
  {
    name: "a duplicate name is refused with a text that clients search for",
    source: "TP",
    async run(wire, { workspace }) {
      const request = { workspace_id: workspace.id, name: "conformance" };
      assert.match(refused(await wire.call("POST", "/computers", request)).error, /already exists|duplicate key/);
    },
  },
];
