// Tests the packed package in servers: runtimes, bundlers, test runners and package managers, as a matrix.
//
// Each row makes calls and opens a terminal, events and audio of one shared computer of a local desktop. `npm test` runs
// the rows that are marked as `quick`, `npm run test:full` runs all rows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { bundlers } from "./servers/bundlers.mjs";
import { removeProjects } from "./servers/project.mjs";
import { runners } from "./servers/runners.mjs";
import { runtimes } from "./servers/runtimes.mjs";

const LIMIT = { timeout: 300_000 };
const full = Boolean(process.env.ORGO_FULL);

let desktop, env;
before(async () => {
  desktop = await startDesktop();
  const { computer } = await createComputer(await import("orgo-sdk"), desktop.options);
  const { apiKey, baseUrl, realtimeUrl } = desktop.options;
  env = { ORGO_API_KEY: apiKey, ORGO_BASE_URL: baseUrl, ORGO_REALTIME_URL: realtimeUrl, ORGO_TEST_COMPUTER: computer.id };
});
after(async () => {
  removeProjects();
  await desktop?.stop();
});

/** Returns the tools of a project with their versions. */
function versions(project) {
  const { dependencies } = JSON.parse(readFileSync(new URL(`projects/${project}/package.json`, import.meta.url), "utf8"));
  return Object.entries(dependencies)
    .map((dependency) => dependency.join(" "))
    .join(", ");
}

for (const row of [...runtimes(), ...bundlers(), ...runners()]) {
  if (!full && !row.quick) continue;
  test(`${versions(row.project)}: ${row.name}`, LIMIT, async () => {
    const output = await row.run(env);
    const [, json] = /ORGO_RESULT (\{.*\})/.exec(output) ?? assert.fail(`there is no result in the output:\n${output}`);
    const { kind, cause } = JSON.parse(json);
    assert.equal(kind, row.binding, cause);
  });
}
