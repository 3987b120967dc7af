import assert from "node:assert/strict";
import { created, refused, succeeded, UNKNOWN } from "../expect.mjs";

/** Makes a computer, compares what it says of itself with what was asked for, and removes it. */
function makes(name, source, request) {
  return {
    name,
    source,
    async run(wire, { workspace }) {
      const whole = { workspace_id: workspace.id, name: "sized", ...request };
      const body = created(await wire.call("POST", "/computers", whole));
      try {
        const told = Object.fromEntries(Object.keys(request).map((field) => [field, body[field]]));
        assert.deepEqual(told, request);
      } finally {
        succeeded(await wire.call("DELETE", `/computers/${body.id}`));
      }
    },
  };
}

/** No computer is made of a request with one impossible field. */
function refuses(name, source, request) {
  return {
    name,
    source,
    async run(wire, { workspace }) {
      const body = { workspace_id: workspace.id, name: "impossible", ...request };
      refused(await wire.call("POST", "/computers", body), 400);
    },
  };
}

/** What computers can be made of. */
export const sizes = [
  makes("4 GB, 2 cores and no GPU are made", "SEED", { os: "linux", ram: 4, cpu: 2, gpu: "none" }),
  makes("8 GB, 4 cores and an A10 are made", "SEED", { ram: 8, cpu: 4, gpu: "a10", resolution: "1920x1080x24" }),
  makes("16 GB, 8 cores and an L40S are made", "SEED", { ram: 16, cpu: 8, gpu: "l40s", resolution: "1024x768x24" }),
  makes("32 GB, 16 cores and an A100 of 40 GB are made", "SEED", { ram: 32, cpu: 16, gpu: "a100-40gb" }),
  makes("64 GB and an A100 of 80 GB are made", "SEED", { ram: 64, gpu: "a100-80gb" }),
  makes("1 core is made", "G3", { cpu: 1 }),
  makes("half a core is made", "PY", { cpu: 0.5 }),
  makes("2 GB are made", "G1", { ram: 2 }),
  makes("the size of the disk is taken", "G3", { disk_size_gb: 16 }),
  {
    name: "project_id stands in for workspace_id",
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
  refuses("a resolution in words is refused", "SEED, G3", { resolution: "large" }),
  refuses("a resolution of nothing is refused", "SEED, G3", { resolution: "0x0x24" }),
  refuses("sizes in words are refused", "SEED, G3", { ram: "4 GB" }),
  refuses("no name is refused", "SEED, G3", { name: undefined }),
  refuses("an empty name is refused", "G3", { name: "" }),
  {
    name: "no workspace is refused in the documented words",
    source: "G3",
    async run(wire) {
      const { error } = refused(await wire.call("POST", "/computers", { name: "lost" }), 400);
      assert.equal(error, "workspace_id is required");
    },
  },
  {
    name: "an unknown workspace is 404",
    source: "G3",
    run: async (wire) => refused(await wire.call("POST", "/computers", { workspace_id: UNKNOWN, name: "lost" }), 404),
  },
];
