// Tests that a viewer of VNC without WebSockets, TigerVNC's, shows and controls a local desktop through a bridge.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { Wire } from "../conformance/wire.mjs";
import { startBridge } from "../support/bridge.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startDisplay } from "../support/display.mjs";
import { decodePng } from "../support/png.mjs";
import { until } from "../support/wait.mjs";
import { TestComputer } from "./computer.mjs";
import { PointerWindow } from "./pointer-window.mjs";

const WIDTH = 1280;
const HEIGHT = 720;
const run = promisify(execFile);

describe("the viewer of TigerVNC, through a bridge", { concurrency: false }, () => {
  let bridge, computer, desktop, display, folder, password, viewer, window;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "orgo-viewer-"));
    desktop = await startDesktop();
    const wire = new Wire(desktop.options);
    const workspace = (await wire.call("POST", "/workspaces", { name: "viewer" })).body.id;
    computer = await TestComputer.start(wire, workspace, "viewer");
    window = await PointerWindow.open(computer);
    const { id, instance_id } = await computer.show();
    ({ password } = (await wire.call("GET", `/computers/${id}/vnc-password`)).body);
    const url = desktop.options.realtimeUrl.replace("{instance_id}", instance_id).replace("{channel}", "websockify");
    bridge = await startBridge(`${url}?token=${encodeURIComponent(password)}`);
    display = await startDisplay(`${WIDTH}x${HEIGHT}`);
  });
  after(async () => {
    await viewer?.stop();
    await display?.stop();
    await bridge?.close();
    await desktop?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts the viewer in full screen, so that a pixel of the display is a pixel of the computer. */
  function startViewer(password) {
    const options = [
      "-FullScreen",
      "-RemoteResize=0",
      "-NoJPEG",
      "-AlertOnFatalError=0",
      "-ReconnectOnError=0",
      "-Log=*:stderr:30",
    ];
    const child = spawn("xtigervncviewer", [...options, `127.0.0.1::${bridge.port}`], {
      env: { PATH: process.env.PATH, HOME: folder, DISPLAY: display.name, VNC_USERNAME: "", VNC_PASSWORD: password },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const viewer = { pid: child.pid, log: "", ended: once(child, "exit"), stop: () => child.kill() && viewer.ended };
    child.stderr.setEncoding("utf8").on("data", (text) => (viewer.log += text));
    return viewer;
  }

  /** Sends input to the display of the viewer. */
  const input = (...args) => run("xdotool", args, { env: { PATH: process.env.PATH, DISPLAY: display.name } });

  /** Returns the rows of the display of the viewer, three bytes for each pixel, without the pointer. */
  async function shown() {
    const source = ["-f", "x11grab", "-draw_mouse", "0", "-video_size", `${WIDTH}x${HEIGHT}`, "-i", display.name];
    const target = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"];
    const { stdout } = await run("ffmpeg", ["-loglevel", "error", ...source, ...target], {
      encoding: "buffer",
      maxBuffer: WIDTH * HEIGHT * 4,
    });
    return stdout;
  }

  /** Returns the number of shown pixels that differ from a screenshot, apart from the pointer at (640, 400). */
  async function differences() {
    const expected = decodePng(await computer.screenshot());
    const found = await shown();
    let count = 0;
    for (let y = 0; y < HEIGHT; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) {
        const at = (y * WIDTH + x) * 3;
        const [red, green, blue] = expected.pixel(x, y);
        const isSame = found[at] === red && found[at + 1] === green && found[at + 2] === blue;
        const isPointer = Math.abs(x - 640) < 30 && Math.abs(y - 400) < 30;
        if (!isSame && !isPointer) count += 1;
      }
    }
    return count;
  }

  test("a wrong password is refused", { timeout: 60_000 }, async () => {
    const refused = startViewer("wrong");
    await until(
      () => `a refusal in: ${refused.log}`,
      () => /password is wrong/i.test(refused.log),
    );
    await refused.stop();
  });

  test("it passes the pointer and the keys", { timeout: 60_000 }, async () => {
    viewer = startViewer(password);
    await input("search", "--sync", "--onlyvisible", "--pid", String(viewer.pid));
    await input("mousemove", "640", "400", "click", "1");
    const clicks = await window.seen((seen) => seen.some(({ kind }) => kind === "up"));
    assert.deepEqual(
      clicks.map(({ kind, button, x, y }) => `${kind} ${button} ${x} ${y}`),
      ["down left 640 400", "up left 640 400"],
    );
    await input("type", "aB1!");
    const keys = await window.seen((seen) => seen.filter(({ kind, text }) => kind === "key" && text !== "").length >= 4);
    assert.equal(keys.map(({ text }) => text).join(""), "aB1!");
    await input("click", "5");
    await window.seen((seen) => seen.some(({ kind, steps }) => kind === "wheel" && steps < 0));
  });

  test("it shows the pixels of the computer", { timeout: 60_000 }, async () => {
    // At first, the viewer shows a hint.
    await until("the same pixels as in a screenshot", async () => (await differences()) === 0);
  });

  test("what it holds is released when it ends", { timeout: 60_000 }, async () => {
    await input("mousedown", "1", "keydown", "x");
    await until("the key and the button", async () => /^256 \[\d+\]$/.test(await window.held()));
    await viewer.stop();
    await until("nothing is held", async () => (await window.held()) === "0 []");
  });
});
