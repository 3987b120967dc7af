import assert from "node:assert/strict";
import { refused, UNKNOWN, UUID } from "../expect.mjs";

/** The checks of authentication and of the format of refusals. */
export const access = [
  {
    name: "a call without a key is refused with 401",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", "/workspaces", undefined, { key: null }), 401),
  },
  {
    name: "a call with an unknown key is refused with 401",
    source: "G3",
    run: async (wire) => refused(await wire.call("GET", "/workspaces", undefined, { key: "sk_live_unknown" }), 401),
  },
  {
    name: "a refusal has a request_id",
    source: "G3",
    async run(wire) {
      const { request_id } = refused(await wire.call("GET", `/computers/${UNKNOWN}`), 404);
      assert.match(String(request_id), UUID);
    },
  },
  {
    name: "an unsupported method is refused with 405",
    source: "G3, MCP",
    run: async (wire) => refused(await wire.call("DELETE", "/workspaces"), 405),
  },
];
