// Writes into terminals of a real desktop, over links that stand still and that lose what they carry.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startDesktop } from "../support/desktop.mjs";
import { startRelay } from "../support/relay.mjs";
import { until } from "../support/wait.mjs";
import { makeComputer } from "../support/world.mjs";

const FULL = process.env.ORGO_FULL === "1";
const MIB = 1 << 20;
const BYTES = (FULL ? 64 : 8) * MIB;
const LIMIT = FULL ? 900_000 : 180_000;

/** Reads so many bytes, at first none for longer than a link may be silent, then slowly. */
const READER = `
import hashlib, os, sys, time
left, total = int(sys.argv[1]), hashlib.sha256()
print("[reading]", end="", flush=True)
time.sleep(7)
while left > 0:
    piece = os.read(0, min(left, 1 << 16))
    if not piece:
        break
    left -= len(piece)
    total.update(piece)
    time.sleep(0.0003)
print("[read " + total.hexdigest() + "]", end="", flush=True)
`;

/**
 * @param {string} name of the binding
 * @param {(options: object) => Promise<{ sdk: typeof import("orgo-sdk"), desktop: object, act: (name: string, connection: object,
 *   given: object) => Promise<any>, close?: () => Promise<void> }>} start
 */
export function testInput(name, start) {
  describe(`input through ${name}`, { concurrency: true }, () => {
    let world, computer, port;
    const relays = [];
    before(async () => {
      world = await start(startDesktop);
      ({ computer } = await makeComputer(world.sdk, world.desktop.options));
      port = Number(new URL(world.desktop.options.baseUrl).port);
      await computer.bash(`cat > reader.py <<'END'\n${READER}\nEND`);
    });
    after(async () => {
      for (const relay of relays) await relay.close();
      await world?.close();
      await world?.desktop.stop();
    });

    /** A link to the computer, and what a client needs to take it. */
    async function link() {
      const relay = await startRelay(port);
      relays.push(relay);
      const data = JSON.stringify(await computer.connection());
      return { relay, connection: JSON.parse(data.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${relay.port}`)) };
    }

    function checkWhole(what, given, seen) {
      const { read, written, statuses, counters, took } = seen;
      assert.equal(read, written, `the program reads what was written; ${JSON.stringify(seen)}`);
      assert.ok(!statuses.includes("reconnecting"), `the link held: ${statuses}`);
      assert.equal(counters.unacknowledged, 0);
      assert.equal(counters.pending, 0);
      console.log(`  ${name}, ${what}: ${given.bytes / MIB} MiB, byte-exact, ${(took / 1000).toFixed(1)} s, states ${statuses}`);
    }

    for (const way of ["writable", "write", "paste"]) {
      test(`text arrives whole in a program that reads slowly, by ${way}`, { timeout: LIMIT }, async () => {
        const { connection } = await link();
        const bytes = way === "writable" ? BYTES : Math.min(BYTES, 12 * MIB);
        const given = { way, seed: 1, bytes, program: "reader.py" };
        checkWhole(way, given, await world.act("writeAll", connection, given));
      });
    }

    test("a program that repeats its input is written to and read from at the same time", { timeout: LIMIT }, async () => {
      const { connection } = await link();
      const { written, read, counters } = await world.act("echoAll", connection, { seed: 3, bytes: BYTES });
      assert.equal(read, written);
      assert.ok(counters.acknowledged >= BYTES, JSON.stringify(counters));
      console.log(`  ${name}, echo: ${BYTES / MIB} MiB there and back, byte-exact`);
    });

    test("text arrives whole over a link that stands still for a while", { timeout: LIMIT }, async () => {
      const { relay, connection } = await link();
      const given = { way: "writable", seed: 2, bytes: BYTES, program: "reader.py" };
      const writing = world.act("writeAll", connection, given);
      // More than the program is given at first, so that it is in the middle.
      await until("some of it to pass", () => relay.passed > 3 * MIB, LIMIT);
      relay.freeze();
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      relay.thaw();
      const seen = await writing;
      checkWhole("writable, link frozen for 8 s", given, seen);
      assert.equal(relay.connections, 1);
    });

    test("what a link has swallowed is told, and nothing else is lost or doubled", { timeout: LIMIT }, async () => {
      const { relay, connection } = await link();
      const writing = world.act("writeUntilBroken", connection, { file: "typed" });
      await until("some of it to pass", () => relay.passed > 100_000, LIMIT);
      relay.swallow();
      const seen = await writing;
      const { output } = await computer.bash("base64 -w0 typed");
      const accepted = Buffer.from(seen.accepted);
      const typed = Buffer.from(output, "base64");
      assert.deepEqual(typed, accepted.subarray(0, typed.length), "what arrives is in order, and once");
      const [unacknowledged] = seen.reconnections;
      const lost = accepted.length - typed.length;
      assert.ok(lost > 0 && lost <= unacknowledged, `${lost} bytes are lost, ${unacknowledged} told`);
      // What passed before was acknowledged within a second or so.
      assert.ok(accepted.length > unacknowledged, `${unacknowledged} of ${accepted.length} bytes`);
      assert.equal(seen.refusal, "unstable");
      assert.deepEqual([seen.failed?.name, seen.failed?.delivered], ["ConnectionError", "maybe"]);
      assert.ok(seen.failed.message.includes(`the last ${unacknowledged} bytes`), seen.failed.message);
      const waiting = seen.causes.find((cause) => cause);
      assert.deepEqual([waiting.reason, waiting.unacknowledged], ["unreachable", unacknowledged]);
      assert.ok(!seen.text.includes("🦀"), "nothing of it reaches the new shell");
      console.log(`  ${name}: ${accepted.length} bytes accepted, ${lost} lost, the last ${unacknowledged} told as maybe lost`);
    });
  });
}

/** The client in this process, through one binding. */
export function inNode(kind) {
  return async (startDesktop) => {
    process.env.ORGO_BINDING = kind;
    const sdk = await import("orgo-sdk");
    assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
    const client = await import("./client.mjs");
    return {
      sdk,
      desktop: await startDesktop(),
      act: (name, connection, given) => client[name](sdk, connection, given),
      close: async () => {},
    };
  };
}
