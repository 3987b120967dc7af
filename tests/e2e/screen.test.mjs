// Tests the live screen in Node with the native addon, against a real desktop.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startDesktop } from "../support/desktop.mjs";
import { startGate } from "../support/gate.mjs";
import { decodePng } from "../support/png.mjs";
import { openWindow } from "../support/scenes.mjs";
import { until } from "../support/wait.mjs";

process.env.ORGO_BINDING = "native";
const { Channel, Orgo, Screen } = await import("orgo-sdk");

/** A window that changes its color on a click, and records keys and clicks. */
const WINDOW = `
log = open("/tmp/seen", "a", buffering=1)
class Window(FullScreen):
    def started(self):
        self.setStyleSheet("background: #ff0000")
        self.grabKeyboard()
    def mousePressEvent(self, event):
        print(json.dumps(["down", int(event.button()), event.x(), event.y(), int(event.modifiers())]), file=log)
        self.setStyleSheet("background: #00ff00")
    def mouseReleaseEvent(self, event):
        print(json.dumps(["up", int(event.button()), event.x(), event.y(), int(event.modifiers())]), file=log)
    def mouseMoveEvent(self, event):
        print(json.dumps(["move", event.x(), event.y()]), file=log)
    def wheelEvent(self, event):
        print(json.dumps(["wheel", event.angleDelta().x(), event.angleDelta().y()]), file=log)
    def keyPressEvent(self, event):
        print(json.dumps(["key", event.text()]), file=log)
`;

describe("the live screen", { concurrency: false }, () => {
  let desktop, orgo, computer, screen;
  before(async () => {
    desktop = await startDesktop();
    orgo = new Orgo(desktop.options);
    const workspace = await orgo.workspaces.create({ name: "screen" });
    computer = await orgo.computers.create({ workspace_id: workspace.id, name: "screen" });
    await computer.waitUntilRunning();
    screen = await computer.screen();
  });
  after(async () => {
    await screen?.close();
    await desktop?.stop();
  });

  const shot = async (params) => decodePng((await screen.screenshot(params)).data);
  test("the screen is an instance of its classes", () => {
    assert.deepEqual([screen instanceof Screen, screen instanceof Channel], [true, true]);
  });

  const seen = async () =>
    (await computer.bash("cat /tmp/seen")).output
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  test("images show the current content", { timeout: 120_000 }, async () => {
    assert.deepEqual(screen.size, { width: 1280, height: 720 });
    await openWindow(computer, "window", WINDOW);
    await until("the window", async () => String((await shot()).pixel(640, 300)) === "255,0,0", 60_000);
    const part = await screen.screenshot({ region: { x: 10, y: 20, width: 30, height: 40 }, format: "rgba" });
    assert.deepEqual([part.width, part.height, part.data.length], [30, 40, 30 * 40 * 4]);
    assert.deepEqual([...part.data.subarray(0, 4)], [255, 0, 0, 255]);
    const half = await screen.screenshot({ scale: 0.5 });
    const wide = await screen.screenshot({ region: { x: 1270, y: 0, width: 70_000, height: 5 } });
    assert.deepEqual([wide.width, wide.height], [10, 5], "a region is cropped to the screen");
    assert.deepEqual([half.width, half.height, half.format], [640, 360, "png"]);
    const jpeg = await screen.screenshot({ format: "jpeg" });
    assert.deepEqual([jpeg.width, jpeg.height, jpeg.format, ...jpeg.data.subarray(0, 3)], [1280, 720, "jpeg", 0xff, 0xd8, 0xff]);
  });

  test("an image belongs to its caller, who may change it or transfer it", { timeout: 120_000 }, async () => {
    for (const format of ["png", "rgba"]) {
      // Until two images in a row are equal, the screen may change.
      const pair = async () => [await screen.screenshot({ format }), await screen.screenshot({ format })];
      const [first, second] = await until("an unchanged screen", async () => {
        const images = await pair();
        return Buffer.compare(images[0].data, images[1].data) === 0 && images;
      });
      const content = Buffer.from(first.data);
      first.data.fill(7);
      assert.ok(content.equals(second.data), format);
      assert.ok(content.equals((await screen.screenshot({ format })).data), format);
      assert.ok(content.equals(structuredClone(second.data, { transfer: [second.data.buffer] })), format);
      assert.equal(second.data.length, 0, "the memory was transferred, not copied");
    }
  });

  test("null means the default of a parameter", { timeout: 120_000 }, async () => {
    const { format, width } = await screen.screenshot({ format: null, scale: null, pointer: null });
    assert.deepEqual({ format, width }, { format: "png", width: 1280 });
  });

  test("an image contains the pointer only on request", { timeout: 120_000 }, async () => {
    let shape;
    screen.on("cursor", (cursor) => (shape = cursor));
    screen.move({ x: 300, y: 200 });
    // Items are read only while something waits for them.
    await until("the shape", async () => (await shot()) && shape?.width > 0, 60_000);
    const { x, y, width, height } = shape;
    const region = { x: 300 - x, y: 200 - y, width, height };
    const colors = async (params) => {
      const { data } = await screen.screenshot({ region, format: "rgba", ...params });
      return new Set(Array.from({ length: data.length / 4 }, (_, at) => data.subarray(at * 4, at * 4 + 4).toString()));
    };
    assert.deepEqual([...(await colors())], ["255,0,0,255"]);
    assert.ok((await colors({ pointer: true })).size > 1);
  });

  test("a held key repeats until it is released", { timeout: 120_000 }, async () => {
    const pressed = async () => (await seen()).filter(([kind, text]) => kind === "key" && text === "r").length;
    screen.key("r", { action: "hold" });
    await until("several repeats", async () => (await pressed()) > 5);
    screen.key("r", { action: "up" });
    // The key that follows arrives after all repeats.
    screen.key("s");
    await until("the next key", async () => (await seen()).some(([, text]) => text === "s"));
    const count = await pressed();
    screen.key("t");
    await until("another key", async () => (await seen()).some(([, text]) => text === "t"));
    assert.equal(await pressed(), count);
    await computer.bash("cp /dev/null /tmp/seen");
  });

  test("Shift gives capitals and the upper symbols of the keyboard", { timeout: 120_000 }, async () => {
    for (const name of ["shift+1", "shift+/", "shift+a", "shift+-", "A", "!", "1"]) screen.key(name);
    const texts = async () => (await seen()).flatMap(([kind, text]) => (kind === "key" && text !== "" ? [text] : []));
    await until("the keys", async () => (await texts()).includes("1"));
    assert.deepEqual(await texts(), ["!", "?", "A", "_", "A", "!", "1"]);
    await computer.bash("cp /dev/null /tmp/seen");
  });

  test("a drag moves along all its points", { timeout: 120_000 }, async () => {
    const path = Array.from({ length: 50 }, (_, index) => ({ x: 100 + 10 * index, y: 100 + ((37 * index) % 300) }));
    screen.drag({ path });
    screen.key("e");
    await until("the end", async () => (await seen()).some(([, text]) => text === "e"));
    const points = (await seen()).flatMap(([kind, x, y]) => (kind === "move" ? [`${x},${y}`] : []));
    const expected = path.slice(1).map(({ x, y }) => `${x},${y}`);
    // On a busy machine the X server reads several points at once, and keeps only the last of them.
    assert.deepEqual(
      [...new Set(points)],
      expected.filter((point) => points.includes(point)),
    );
    assert.equal(points.at(-1), expected.at(-1));
    assert.ok(new Set(points).size > expected.length / 4, `${points.length} of ${expected.length} points`);
    await computer.bash("cp /dev/null /tmp/seen");
  });

  test("input arrives, and its effect is reported as damage", { timeout: 120_000 }, async () => {
    assert.equal(screen.click({ x: 200, y: 100, modifiers: ["ctrl"] }), true);
    const changes = [];
    for await (const { rects } of screen) {
      changes.push(...rects);
      if (String((await shot()).pixel(640, 300)) === "0,255,0") break;
    }
    assert.ok(changes.length > 0);
    assert.deepEqual(screen.pointer, { x: 200, y: 100 });
    screen.key("a");
    screen.wheel({ dy: 1, dx: 1 });
    screen.drag({
      path: [
        { x: 10, y: 10 },
        { x: 20, y: 20 },
      ],
      button: "right",
    });
    // The key of the modifier has no text.
    const events = async () => (await seen()).filter(([kind, text]) => kind !== "move" && (kind !== "key" || text !== ""));
    await until("the input", async () => (await events()).length >= 7);
    const CTRL = 0x04000000;
    assert.deepEqual(await events(), [
      ["down", 1, 200, 100, CTRL],
      ["up", 1, 200, 100, CTRL],
      ["key", "a"],
      ["wheel", 0, -120],
      ["wheel", -120, 0],
      ["down", 2, 10, 10, 0],
      ["up", 2, 20, 20, 0],
    ]);
  });

  test("the screen settles when nothing changes", { timeout: 120_000 }, async () => {
    await screen.settled({ quiet: 300, timeout: 60_000 });
    // The time without a change counts from the call.
    await assert.rejects(screen.settled({ quiet: 60_000, timeout: 200 }), { name: "TimeoutError" });
  });

  test("a wait that ends leaves no timer, so the process can end", { timeout: 120_000 }, async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const other = await computer.screen();
    const before = timers();
    const settled = assert.rejects(other.settled({ quiet: 1_000_000 }), { message: /^screen\.settled: the channel is closed/ });
    // Each update starts the wait for quiet again.
    for (let at = 0; at < 20; at += 1) {
      other.move({ x: 10 + at, y: 10 });
      await other.screenshot({ scale: 0.1 });
    }
    await other.close();
    await settled;
    await assert.rejects(other.clipboard.read(), { message: /^screen\.clipboard\.read: the channel is closed/ });
    await until("the timers to end", () => timers() <= before);
  });

  test("the clipboard is transferred on request", { timeout: 120_000 }, async () => {
    assert.equal(screen.clipboard.write("über 😀\nzwei"), true);
    await until("the clipboard of the programs", async () => {
      const { output } = await computer.bash("timeout 2 xclip -o -selection clipboard 2>/dev/null || timeout 2 xsel -b -o");
      return output === "über 😀\nzwei";
    });
    assert.equal(await screen.clipboard.read(), "über 😀\nzwei", "this channel owns the clipboard");
    // A program takes the clipboard, and then another channel.
    const copy = (command) => computer.bash(`${command} | (xclip -selection clipboard || xsel -b -i) >/dev/null 2>&1`);
    await copy("printf 'drei ü'");
    await until("the text of the program", async () => (await screen.clipboard.read()) === "drei ü");
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => screen.clipboard.read())), ["drei ü", "drei ü", "drei ü"]);
    const late = await computer.screen();
    assert.equal(await late.clipboard.read(), "", "the server does not announce what was copied before");
    await copy("printf vier");
    for (const one of [screen, late]) await until("the next text", async () => (await one.clipboard.read()) === "vier");
    assert.equal(late.clipboard.write("fünf"), true);
    assert.equal(await late.clipboard.read(), "fünf");
    await until("the text for the programs", async () => {
      const { output } = await computer.bash("timeout 2 xclip -o -selection clipboard 2>/dev/null || timeout 2 xsel -b -o");
      return output === "fünf";
    });
    await late.close();
    // The largest text, also with line ends that RFB transfers as two characters.
    for (const text of ["x".repeat(1 << 20), "\n".repeat(1 << 20)]) {
      assert.equal(screen.clipboard.write(text), true);
      await until("the large text for the programs", async () => {
        const { output } = await computer.bash("timeout 5 xclip -o -selection clipboard | wc -c");
        return Number(output) === text.length;
      });
    }
  });

  test("invalid parameters are refused by name", async () => {
    const refused = (field) => ({ name: "InvalidParameterError", field });
    assert.throws(() => screen.move({ x: 1280, y: 0 }), refused("x"));
    assert.throws(() => screen.on("data", () => {}), {
      ...refused("name"),
      message: /events are state, error, reconnected, resized, cursor, bell$/,
    });
    assert.throws(() => screen.move(), refused("x"));
    assert.throws(() => screen.drag(), refused("path"));
    for (const wrong of [null, new Map()]) {
      for (const method of ["move", "drag", "wheel"]) assert.throws(() => screen[method](wrong), refused("params"));
    }
    assert.throws(() => screen.click({ button: "fourth" }), refused("button"));
    assert.throws(() => screen.key("nokey"), refused("key"));
    assert.throws(() => screen.drag({ path: [{ x: 1, y: 1 }] }), refused("path"));
    const long = Array.from({ length: 100_000 }, () => ({ x: 1, y: 1 }));
    assert.throws(() => screen.drag({ path: long }), { ...refused("path"), message: /2 to 1000 points/ });
    // As with `computer.click`, an inherited position does not count, but it must not be ignored.
    const inherited = Object.create({ x: 5, y: 5 });
    assert.throws(() => screen.click(inherited), refused("x"));
    assert.throws(() => screen.key("a", Object.create({ action: "up" })), refused("action"));
    assert.throws(() => screen.key("a", { action: "twice" }), refused("action"));
    assert.throws(() => screen.wheel({ x: 1, dy: 1 }), refused("y"));
    await assert.rejects(screen.screenshot({ scale: 2 }), refused("scale"));
    await assert.rejects(screen.screenshot({ region: { x: 1280, y: 0, width: 5, height: 5 } }), refused("region"));
    await assert.rejects(screen.screenshot({ format: "gif" }), refused("format"));
    await assert.rejects(screen.screenshot({ pointer: 1 }), refused("pointer"));
    const bigint = { name: "InvalidParameterError", message: /^screen\.drag: `path` must be a value that JSON can represent/ };
    assert.throws(
      () =>
        screen.drag({
          path: [
            { x: 1n, y: 1 },
            { x: 2, y: 2 },
          ],
        }),
      { ...bigint, field: "path" },
    );
    const region = { x: 0.5, y: 0, width: 5, height: 5 };
    await assert.rejects(screen.screenshot({ region }), { ...refused("region"), message: /^screen\.screenshot: `region` must/ });
    await assert.rejects(screen.screenshot({ region: { ...region, x: -1 } }), { message: /whole numbers from 0/ });
    for (const [name, field] of Object.entries({ move: "x", drag: "path", key: "key", resize: "width" })) {
      assert.throws(() => screen[name](), refused(field));
    }
    await assert.rejects(computer.screen({ quality: 10 }), refused("quality"));
    await assert.rejects(computer.screen({ viewOnly: true }), refused("viewOnly"));
  });

  test("a command right after the opening uses what the server supports", { timeout: 120_000 }, async () => {
    for (let count = 0; count < 5; count += 1) {
      const early = await computer.screen();
      assert.equal(early.clipboard.write("beyond Latin-1: \u65e5\u672c"), true);
      assert.equal(early.resize(1280, 720), true);
      await early.close();
    }
  });

  test("a screen for viewing only refuses input", async () => {
    const viewer = await computer.screen({ view_only: true });
    assert.equal(viewer.move({ x: 1, y: 1 }), false);
    assert.equal(viewer.resize(800, 600), false);
    assert.equal(viewer.refusal, "view_only");
    assert.deepEqual(viewer.size, { width: 1280, height: 720 });
    await viewer.close();
  });

  test("a restart of the computer reconnects with the new password", { timeout: 120_000 }, async () => {
    const reconnected = new Promise((resolve) => screen.on("reconnected", resolve));
    const restarting = computer.restart();
    // Items are read only while something waits for them.
    const reading = (async () => {
      for await (const _ of screen);
    })();
    await restarting;
    await reconnected;
    await until("the desktop", async () => String((await shot()).pixel(640, 300)) !== "0,255,0");
    assert.equal(screen.state.status, "open");
    await screen.close();
    await reading;
    await assert.rejects(shot(), { name: "ChannelClosedError", message: "screen.screenshot: the channel is closed (closed)" });
  });

  test("an image is never older than the connection", { timeout: 120_000 }, async () => {
    const gate = await startGate(desktop.options.baseUrl);
    const distant = new Orgo({ ...desktop.options, realtimeUrl: gate.through(desktop.options.realtimeUrl) });
    const channel = await (await distant.computers.get(computer.id)).screen();
    try {
      const pixel = { format: "rgba", region: { x: 640, y: 300, width: 1, height: 1 } };
      await channel.screenshot(pixel);
      await gate.close();
      await until("the state", () => channel.state.status === "reconnecting");
      const image = channel.screenshot(pixel);
      await assert.rejects(channel.screenshot(pixel, { timeout: 50 }), { name: "TimeoutError" });
      await gate.open();
      assert.equal((await image).data.length, 4);
      assert.equal(channel.counters.reconnects, 1);
    } finally {
      await channel.close();
      await gate.close();
    }
  });
});
