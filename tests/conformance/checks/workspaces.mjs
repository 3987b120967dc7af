import assert from "node:assert/strict";
import { created, hasFields, ok, refused, succeeded, TIME, UNKNOWN, UUID } from "../expect.mjs";

const WORKSPACE = { id: UUID, name: "string", created_at: TIME };

export const workspaces = [
  {
    name: "POST /workspaces creates a workspace",
    source: "SEED, G3",
    async run(wire, state) {
      const body = created(await wire.call("POST", "/workspaces", { name: state.name }));
      hasFields(body, WORKSPACE);
      assert.equal(body.name, state.name);
      state.workspace = body;
    },
  },
  {
    name: "a new workspace is active and has no icon",
    source: "G3",
    run: async (_, { workspace }) => hasFields(workspace, { status: /^active$/, icon_url: null }),
  },
  {
    name: "a new workspace has a computer_count of 0",
    source: "FULL-OLD",
    run: async (_, { workspace }) => assert.equal(workspace.computer_count, 0),
  },
  {
    name: "a duplicate name is refused with 400",
    source: "G3",
    run: async (wire, state) => refused(await wire.call("POST", "/workspaces", { name: state.name }), 400),
  },
  {
    name: "a name that differs only in case is a duplicate",
    source: "BOPS",
    run: async (wire, state) => refused(await wire.call("POST", "/workspaces", { name: state.name.toUpperCase() }), 400),
  },
  {
    name: "an empty name and a missing name are refused with 400",
    source: "G3",
    async run(wire) {
      refused(await wire.call("POST", "/workspaces", { name: "" }), 400);
      refused(await wire.call("POST", "/workspaces", {}), 400);
    },
  },
  {
    name: "GET /workspaces lists the workspace under workspaces",
    source: "SEED, G3",
    async run(wire, state) {
      const { workspaces: listed } = ok(await wire.call("GET", "/workspaces"));
      hasFields(
        listed.find(({ id }) => id === state.workspace.id),
        WORKSPACE,
      );
    },
  },
  {
    name: "listed workspaces contain their computers and times",
    source: "G3",
    async run(wire, state) {
      const { workspaces: listed } = ok(await wire.call("GET", "/workspaces"));
      const found = listed.find(({ id }) => id === state.workspace.id);
      hasFields(found, { desktops: "array", updated_at: TIME, status: /^active$/, icon_url: [null, "string"] });
    },
  },
  {
    name: "listed workspaces have a computer_count",
    source: "FULL-OLD",
    async run(wire, state) {
      const { workspaces: listed } = ok(await wire.call("GET", "/workspaces"));
      hasFields(
        listed.find(({ id }) => id === state.workspace.id),
        { computer_count: "number" },
      );
    },
  },
  {
    name: "GET /workspaces/{id} returns the workspace at the top level",
    source: "SEED, G3",
    async run(wire, state) {
      const body = ok(await wire.call("GET", `/workspaces/${state.workspace.id}`));
      hasFields(body, WORKSPACE);
      assert.equal(body.id, state.workspace.id);
    },
  },
  {
    name: "GET /workspaces/{id} contains its computers",
    source: "G3, PY, MCP, BOPS",
    async run(wire, state) {
      const body = ok(await wire.call("GET", `/workspaces/${state.workspace.id}`));
      hasFields(body, { desktops: "array", updated_at: TIME });
    },
  },
  {
    name: "an unknown workspace is refused with 404",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", `/workspaces/${UNKNOWN}`), 404),
  },
  {
    name: "GET /projects lists the workspace under projects",
    source: "LLMS-NEW, PY, MCP",
    async run(wire, state) {
      const { projects } = ok(await wire.call("GET", "/projects"));
      assert.ok(projects.some(({ id }) => id === state.workspace.id));
    },
  },
  {
    name: "GET /projects/{id} returns the workspace with its computers",
    source: "PY, MCP",
    async run(wire, state) {
      hasFields(ok(await wire.call("GET", `/projects/${state.workspace.id}`)), { ...WORKSPACE, desktops: "array" });
    },
  },
  {
    name: "GET /projects/by-name/{name} returns the workspace",
    source: "G1, MCP",
    async run(wire, state) {
      const body = ok(await wire.call("GET", `/projects/by-name/${encodeURIComponent(state.name)}`));
      assert.equal((body.project ?? body).id, state.workspace.id);
    },
  },
  {
    name: "POST /projects creates a workspace, and DELETE /projects/{id} deletes it",
    source: "PY",
    async run(wire, state) {
      const { id } = created(await wire.call("POST", "/projects", { name: `${state.name} alias` }));
      succeeded(await wire.call("DELETE", `/projects/${id}`));
      refused(await wire.call("GET", `/workspaces/${id}`), 404);
    },
  },
  {
    name: "status and icon_url are stored, and POST /projects/{id}/delete deletes",
    source: "G1, G3, MCP",
    async run(wire, state) {
      const icon_url = "https://example.com/icon.png";
      const request = { name: `${state.name} inactive`, status: "inactive", icon_url };
      const { id } = created(await wire.call("POST", "/workspaces", request));
      const body = ok(await wire.call("GET", `/workspaces/${id}`));
      assert.deepEqual([body.status, body.icon_url], ["inactive", icon_url]);
      succeeded(await wire.call("POST", `/projects/${id}/delete`));
      refused(await wire.call("GET", `/workspaces/${id}`), 404);
    },
  },
];
