// Tests the packed package in servers: runtimes, bundlers and test runners. Each row makes calls and opens a terminal,
// events and audio of one shared computer of a local desktop.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { startEnvironment } from "./environment.mjs";
import { Matrix } from "./matrix.mjs";
import { bundlers } from "./servers/bundlers.mjs";
import { closeRegistry, managers } from "./servers/managers.mjs";
import { open, removeProjects } from "./servers/rows.mjs";
import { runners } from "./servers/runners.mjs";
import { runtimes } from "./servers/runtimes.mjs";

const matrix = new Matrix("servers");
let environment;
before(async () => {
  environment = await startEnvironment();
});
after(async () => {
  await environment?.close();
  await closeRegistry();
  removeProjects();
  matrix.finish();
});

for (const row of [...runtimes(), ...bundlers(), ...runners(), ...managers()]) {
  if (!matrix.includes(row)) continue;
  matrix.row({ ...row, versions: () => open(row.project).versions }, async () => {
    if (row.refusal) {
      await assert.rejects(row.run(environment.env), row.refusal);
      return "refused with a clear error";
    }
    const output = await row.run(environment.env);
    const [, json] = /ORGO_RESULT (\{.*\})/.exec(output) ?? assert.fail(`there is no result in the output:\n${output}`);
    const { kind, cause } = JSON.parse(json);
    assert.equal(kind, row.binding, cause);
    return kind;
  });
}
