// Tests the local desktop with two unmodified versions of the official Python client, installed from PyPI.
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

/** The tested versions: the one that docs/protocol.md calls PY, and an older one that uses the original protocol. */
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

/** Runs python-client.py with a version of the client and a new server. Returns its output. */
async function runClient(version) {
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
  test(`version ${version} controls a computer`, { timeout: 300_000 }, async () => {
    const stdout = await runClient(version);
    // The last line contains the results. The lines before it contain messages of the client.
    const results = JSON.parse(stdout.trim().split("\n").at(-1));
    const { refusals, ...rest } = results;
    assert.deepEqual(rest, {
      "the same project by name": true,
      size: [4, 1],
      "connected by id": "one",
      listed: ["one"],
      "found by name": true,
      screenshot: ["PNG", 1280, 720],
      "screenshot as base64": "iVBO",
      actions: {
        left_click: true,
        double_click: true,
        right_click: true,
        drag: true,
        "scroll at the center": true,
        "scroll with an amount": true,
        wait: true,
        key: true,
      },
      typed: "Grüße, 世界 🙂\n",
      bash: "out\nerr\n",
      exec: [true, "42\n", false],
      "failing exec": [false, "ZeroDivisionError"],
      stream: ["streaming", true, true],
      restart: true,
      "bash after restart": "ok\n",
      destroy: [true, true],
    });
    assert.match(refusals["a point outside the screen"], /^x: /);
    assert.match(refusals["an unknown key"], /Enter/);
    assert.equal(refusals["an unknown computer"], "Computer not found");
  });
}
