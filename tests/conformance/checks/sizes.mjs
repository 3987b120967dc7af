import assert from "node:assert/strict";
import { created, refused, succeeded, UNKNOWN } from "../expect.mjs";

/** Returns a check that creates a computer, compares the record with the request, and deletes the computer. */
function creates(name, source, request) {
  return {
    name,
    source,
    async run(wire, { workspace }) {
      const complete = { workspace_id: workspace.id, name: "sized", ...request };
      const body = created(await wire.call("POST", "/computers", complete));
      try {
        const fields = Object.fromEntries(Object.keys(request).map((field) => [field, body[field]]));
        assert.deepEqual(fields, request);
      } finally {
        succeeded(await wire.call("DELETE", `/computers/${body.id}`));
      }
    },
  };
}

/** Returns a check that a request with an invalid field is refused with 400. */
function refuses(name, source, request) {
  return {
    name,
    source,
    async run(wire, { workspace }) {
      const body = { workspace_id: workspace.id, name: "invalid", ...request };
      refused(await wire.call("POST", "/computers", body), 400);
    },
  };
}

/** The checks of the sizes and other properties of computers. */
export const sizes = [
  creates("4 GB, 2 cores and no GPU are accepted", "SEED", { os: "linux", ram: 4, cpu: 2, gpu: "none" }),
  creates("8 GB, 4 cores and an A10 are accepted", "SEED", { ram: 8, cpu: 4, gpu: "a10", resolution: "1920x1080x24" }),
  creates("16 GB, 8 cores and an L40S are accepted", "SEED", { ram: 16, cpu: 8, gpu: "l40s", resolution: "1024x768x24" }),
  creates("32 GB, 16 cores and an A100 with 40 GB are accepted", "SEED", { ram: 32, cpu: 16, gpu: "a100-40gb" }),
  creates("64 GB and an A100 with 80 GB are accepted", "SEED", { ram: 64, gpu: "a100-80gb" }),
  creates("1 core is accepted", "G3", { cpu: 1 }),
  creates("half a core is accepted", "PY", { cpu: 0.5 }),
  creates("2 GB are accepted", "G1", { ram: 2 }),
  creates("the size of the disk is accepted", "G3", { disk_size_gb: 16 }),
  {
    name: "project_id is accepted instead of workspace_id",
    source: "PY, TP",
    async run(wire, { workspace }) {
      const { id } = created(await wire.call("POST", "/computers", { project_id: workspace.id, name: "aliased" }));
      succeeded(await wire.call("DELETE", `/computers/${id}`));
    },
  },
  refuses("an unknown os is refused", "SEED, G3", { os: "plan9" }),
  refuses("3 GB are refused", "SEED, G3", { ram: 3 }),
  refuses("3 cores are refused", "SEED, G3", { cpu: 3 }),
  refuses("an unknown GPU is refused", "SEED", { gpu: "h100" }),
  refuses("a resolution that is not in the format WxHxD is refused", "SEED, G3", { resolution: "large" }),
  refuses("a resolution of 0x0 is refused", "SEED, G3", { resolution: "0x0x24" }),
  refuses("sizes as strings are refused", "SEED, G3", { ram: "4 GB" }),
  refuses("a missing name is refused", "SEED, G3", { name: undefined }),
  refuses("an empty name is refused", "G3", { name: "" }),
  {
    name: "a missing workspace is refused with the documented text",
    source: "G3",
    async run(wire) {
      const { error } = refused(await wire.call("POST", "/computers", { name: "orphan" }), 400);
      assert.equal(error, "workspace_id is required");
    },
  },
  {
    name: "an unknown workspace is refused with 404",
    source: "G3",
    run: async (wire) => refused(await wire.call("POST", "/computers", { workspace_id: UNKNOWN, name: "orphan" }), 404),
  },
];
