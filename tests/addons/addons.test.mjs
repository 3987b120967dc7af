// Tests the packages with the addons that `npm run addons` has built: each addon that this machine can run makes calls and
// opens channels of a computer of the local desktop.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BUILT_ADDONS, pack } from "../../scripts/lib/pack.mjs";
import { addonFile, packageName, TARGETS } from "../../scripts/lib/targets.mjs";
import { startEnvironment } from "../packaging/environment.mjs";
import { runtime } from "./runtimes.mjs";

const programs = fileURLToPath(new URL("../packaging/servers/programs", import.meta.url));
const run = promisify(execFile);

let folder, archives, environment;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "orgo-addons-"));
  archives = pack(join(folder, "packages"), { addons: BUILT_ADDONS });
  environment = await startEnvironment();
});
after(async () => {
  await environment?.close();
  rmSync(folder, { recursive: true, force: true });
});

for (const target of TARGETS) {
  const missing = !existsSync(join(BUILT_ADDONS, addonFile(target))) && "the addon is not built";
  test(`the addon for ${target.name} controls a computer`, { skip: missing, timeout: 300_000 }, async (t) => {
    const command = runtime(target);
    if (command === undefined) return t.skip("this machine cannot run the addon");
    const project = join(folder, target.name);
    for (const name of ["orgo-sdk", packageName(target)]) {
      const installed = join(project, "node_modules", name);
      mkdirSync(installed, { recursive: true });
      await run("tar", ["-xzf", archives[name], "-C", installed, "--strip-components=1"]);
    }
    cpSync(programs, project, { recursive: true });
    const [program, ...args] = [...command, "main.mjs"];
    const env = { ...process.env, ...environment.env, ORGO_BINDING: "native" };
    const { stdout } = await run(program, args, { cwd: project, env });
    const { kind } = JSON.parse(/ORGO_RESULT (\{.*\})/.exec(stdout)?.[1] ?? assert.fail(stdout));
    assert.equal(kind, "native");
  });
}
