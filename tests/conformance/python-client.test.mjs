// The official Python client of two generations, installed from PyPI and not changed, against the local desktop.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startDesktop } from "../support/desktop.mjs";
import { startReceiver } from "../support/receiver.mjs";

/** The version whose behaviour docs/protocol.md calls PY, and one of the age of the specification. */
const VERSIONS = ["0.0.47", "0.0.40"];

const run = promisify(execFile);
const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

let folder;
let python;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "orgo-python-"));
  python = join(folder, "bin", "python");
  await run("python3", ["-m", "venv", folder]);
  await run(python, [...install, "--requirement", here("python-requirements.txt")]);
});
after(() => rmSync(folder, { recursive: true }));

/** What a version of the client made of a server of its own. */
async function works(version) {
  const client = join(folder, version);
  await run(python, [...install, "--target", client, `orgo==${version}`]);
  const receiver = await startReceiver();
  const desktop = await startDesktop({ connections: { live: receiver.url } });
  try {
    const { baseUrl, apiKey } = desktop.options;
    const env = { ...process.env, ORGO_API_KEY: apiKey, PYTHONPATH: client };
    return (await run(python, [here("python-client.py"), baseUrl], { env })).stdout;
  } finally {
    await desktop.stop();
    await receiver.close();
  }
}

for (const version of VERSIONS) {
  test(`version ${version} works a computer`, { timeout: 300_000 }, async () => {
    const stdout = await works(version);
    // It talks of its project before.
    const seen = JSON.parse(stdout.trim().split("\n").at(-1));
    const { refusals, ...rest } = seen;
    assert.deepEqual(rest, {
      "the project is found again": true,
      "its size": [4, 1],
      "connected by id": "one",
      listed: ["one"],
      "found by name": true,
      screenshot: ["PNG", 1280, 720],
      "screenshot as text": "iVBO",
      actions: {
        left_click: true,
        double_click: true,
        right_click: true,
        drag: true,
        "scroll at the middle": true,
        "scroll further": true,
        wait: true,
        key: true,
      },
      typed: "Grüße, 世界 🙂\n",
      bash: "out\nerr\n",
      exec: [true, "42\n", false],
      "exec that fails": [false, "ZeroDivisionError"],
      stream: ["streaming", true, true],
      restart: true,
      "bash after restart": "well\n",
      destroy: [true, true],
    });
    assert.match(refusals["a point off the screen"], /^x: /);
    assert.match(refusals["an unknown key"], /Enter/);
    assert.equal(refusals["an unknown computer"], "Computer not found");
  });
}
