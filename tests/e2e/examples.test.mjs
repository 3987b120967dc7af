// Runs the example scripts in child processes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isTone, playTone } from "../scenarios/audio.mjs";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { decodePng } from "../support/png.mjs";
import { until, within } from "../support/wait.mjs";

const LIMIT = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), "orgo-examples-"));
let computer, desktop;

before(async () => {
  desktop = await startDesktop();
  ({ computer } = await createComputer(await import("orgo-sdk"), desktop.options));
});
after(async () => {
  await desktop?.stop();
  rmSync(folder, { recursive: true });
});

/** Starts an example. `output` of the result contains the output so far. */
function start(name, ...args) {
  const { apiKey, baseUrl, realtimeUrl } = desktop.options;
  const env = { ...process.env, ORGO_API_KEY: apiKey, ORGO_BASE_URL: baseUrl, ORGO_REALTIME_URL: realtimeUrl };
  const script = fileURLToPath(new URL(`../../examples/node/${name}`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { cwd: folder, env });
  const example = { child, output: "", ended: once(child, "close") };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (example.output += text));
  return example;
}

async function finish({ ended, output, child }, what) {
  const [code] = await within(`${what} to end`, ended, 30_000).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  return { code, output };
}

describe("examples for Node", () => {
  test("quickstart.mjs", LIMIT, async () => {
    const example = start("quickstart.mjs");
    const { code } = await finish(example, "quickstart.mjs");
    assert.equal(code, 0, example.output);
    const { width, height } = decodePng(readFileSync(join(folder, "screen.png")));
    assert.deepEqual([width, height], [1280, 720]);
    assert.match(example.output, /bash exited with code 0:\nLinux/);
  });

  test("terminal.mjs", LIMIT, async () => {
    const example = start("terminal.mjs", computer.id);
    example.child.stdin.write("echo $((6*7))\r");
    await until("the output of the shell", () => /^42\r?$/m.test(example.output));
    example.child.stdin.write("exit 7\r");
    assert.equal((await finish(example, "terminal.mjs")).code, 7, example.output);
  });

  test("record-audio.mjs", LIMIT, async () => {
    const example = start("record-audio.mjs", computer.id, "2", "tone.wav");
    await until("the recording to start", () => example.output.includes("Recording"));
    await playTone(computer, 4);
    assert.equal((await finish(example, "record-audio.mjs")).code, 0, example.output);
    const file = readFileSync(join(folder, "tone.wav"));
    assert.equal(file.toString("latin1", 0, 4) + file.toString("latin1", 8, 16), "RIFFWAVEfmt ");
    const rate = file.readUInt32LE(24);
    const data = file.subarray(44);
    const samples = Float32Array.from({ length: data.length / 2 }, (_, at) => data.readInt16LE(at * 2) / 32_768);
    assert.equal(samples.length, 2 * rate);
    isTone(samples.slice(-8_192), rate);
  });

  test("watch-screen.mjs", LIMIT, async () => {
    const example = start("watch-screen.mjs", computer.id, "300");
    const newest = () => {
      const [, name] = [...example.output.matchAll(/(screen-\d+\.png): 1280x720/g)].at(-1) ?? [];
      return name && String(decodePng(readFileSync(join(folder, name))).pixel(650, 370));
    };
    const first = await until("the first image", newest, 30_000);
    // Opens the menu of the desktop.
    await computer.click({ x: 640, y: 360, button: "right" });
    await until("an image of the menu", () => newest() !== first, 30_000);
    await computer.key("Escape");
    await until("an image without the menu", () => newest() === first, 30_000);
    example.child.kill("SIGINT");
    assert.equal((await finish(example, "watch-screen.mjs")).code, 0, example.output);
  });

  test("without an id, an example uses a running computer", LIMIT, async () => {
    const example = start("terminal.mjs");
    await until("the id of the selected computer", () => example.output.includes(`(${computer.id}), the first running computer`));
    example.child.stdin.write("exit 0\r");
    assert.equal((await finish(example, "terminal.mjs")).code, 0, example.output);
  });

  test("watch-events.mjs", LIMIT, async () => {
    const example = start("watch-events.mjs", computer.id, "clipboard");
    await until("the event", async () => {
      await computer.bash("date +%N | xclip -selection clipboard > /dev/null 2>&1");
      return /clipboard \{"content":"\d+\\n"\}/.test(example.output);
    });
    example.child.kill("SIGINT");
    assert.equal((await finish(example, "watch-events.mjs")).code, 0, example.output);
  });
});
