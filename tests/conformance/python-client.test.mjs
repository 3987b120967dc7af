// The official Python client, installed from PyPI and not changed, against the local desktop.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startDesktop } from "../support/desktop.mjs";

/** The version whose behaviour docs/protocol.md calls PY. */
const CLIENT = "orgo==0.0.47";

const run = promisify(execFile);
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

let folder;
let desktop;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "orgo-python-"));
  desktop = await startDesktop();
});
after(async () => {
  await desktop?.stop();
  rmSync(folder, { recursive: true });
});

test("the official Python client works a computer", { timeout: 300_000 }, async () => {
  const python = join(folder, "bin", "python");
  await run("python3", ["-m", "venv", folder]);
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
  await run(python, [...install, CLIENT, "--requirement", here("python-requirements.txt")]);
  const { baseUrl, apiKey } = desktop.options;
  const env = { ...process.env, ORGO_API_KEY: apiKey };
  const { stdout } = await run(python, [here("python-client.py"), baseUrl], { env });
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
      "scroll at a place": true,
      wait: true,
      key: true,
    },
    typed: "Grüße, 世界 🙂\n",
    bash: "out\nerr\n",
    exec: [true, "42\n", false],
    "exec that fails": [false, "ZeroDivisionError"],
    restart: true,
    "bash after restart": "well\n",
    destroy: [true, true],
  });
  assert.match(refusals["a point off the screen"], /^x: /);
  assert.match(refusals["an unknown key"], /Enter/);
  assert.equal(refusals["an unknown computer"], "Computer not found");
});
