// Tests terminal input with a real desktop, over connections that freeze or lose data.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { startRelay } from "../support/relay.mjs";
import { until } from "../support/wait.mjs";

const FULL = process.env.ORGO_FULL === "1";
const MIB = 1 << 20;
const BYTES = (FULL ? 64 : 8) * MIB;
const LIMIT = FULL ? 900_000 : 180_000;

/** A program that reads its input slowly. At first, it reads nothing for longer than a connection may be silent. */
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
 * @param {string} name the name of the binding
 * @param {(options: object) => Promise<{ sdk: typeof import("orgo-sdk"), desktop: object, run: (name: string,
 *   connection: object, params: object) => Promise<any>, close?: () => Promise<void> }>} start
 */
export function testInput(name, start) {
  describe(`input through ${name}`, { concurrency: true }, () => {
    let env, computer, port;
    const relays = [];
    before(async () => {
      env = await start(startDesktop);
      ({ computer } = await createComputer(env.sdk, env.desktop.options));
      port = Number(new URL(env.desktop.options.baseUrl).port);
      await computer.bash(`cat > reader.py <<'END'\n${READER}\nEND`);
    });
    after(async () => {
      for (const relay of relays) await relay.close();
      await env?.close();
      await env?.desktop.stop();
    });

    /** Starts a relay to the computer, and returns a connection through it. */
    async function connectThroughRelay() {
      const relay = await startRelay(port);
      relays.push(relay);
      const data = JSON.stringify(await computer.connection());
      return { relay, connection: JSON.parse(data.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${relay.port}`)) };
    }

    function checkComplete(what, bytes, seen) {
      const { read, written, statuses, counters, took } = seen;
      assert.equal(read, written, `the program reads the written text; ${JSON.stringify(seen)}`);
      assert.ok(!statuses.includes("reconnecting"), `no reconnect: ${statuses}`);
      assert.equal(counters.unacknowledged, 0);
      assert.equal(counters.pending, 0);
      console.log(`  ${name}, ${what}: ${bytes / MIB} MiB, byte-exact, ${(took / 1000).toFixed(1)} s, states ${statuses}`);
    }

    for (const method of ["writable", "write", "paste"]) {
      test(`a slow program receives the complete text, by ${method}`, { timeout: LIMIT }, async () => {
        const { connection } = await connectThroughRelay();
        const bytes = method === "writable" ? BYTES : Math.min(BYTES, 12 * MIB);
        const params = { method, seed: 1, bytes, program: "reader.py" };
        checkComplete(method, bytes, await env.run("writeAll", connection, params));
      });
    }

    test("a client can write to an echo program and read from it at the same time", { timeout: LIMIT }, async () => {
      const { connection } = await connectThroughRelay();
      const { written, read, counters } = await env.run("echoAll", connection, { seed: 3, bytes: BYTES });
      assert.equal(read, written);
      assert.ok(counters.acknowledged >= BYTES, JSON.stringify(counters));
      console.log(`  ${name}, echo: ${BYTES / MIB} MiB in both directions, byte-exact`);
    });

    test("the complete text arrives over a connection that freezes for 8 s", { timeout: LIMIT }, async () => {
      const { relay, connection } = await connectThroughRelay();
      const params = { method: "writable", seed: 2, bytes: BYTES, program: "reader.py" };
      const writing = env.run("writeAll", connection, params);
      // 3 MiB is more than the client sends before the program reads, so the freeze happens while the program reads.
      await until("3 MiB to pass the relay", () => relay.passed > 3 * MIB, LIMIT);
      relay.freeze();
      await new Promise((resolve) => setTimeout(resolve, 8_000));
      relay.thaw();
      const seen = await writing;
      checkComplete("writable, connection frozen for 8 s", BYTES, seen);
      assert.equal(relay.connections, 1);
    });

    test("lost input is reported, and no other input is lost or duplicated", { timeout: LIMIT }, async () => {
      const { relay, connection } = await connectThroughRelay();
      const writing = env.run("writeUntilRefused", connection, { file: "typed" });
      await until("100 kB to pass the relay", () => relay.passed > 100_000, LIMIT);
      relay.discard();
      const seen = await writing;
      const { output } = await computer.bash("base64 -w0 typed");
      const accepted = Buffer.from(seen.accepted);
      const typed = Buffer.from(output, "base64");
      assert.deepEqual(typed, accepted.subarray(0, typed.length), "the input arrives in order and once");
      const [unacknowledged] = seen.reconnections;
      const lost = accepted.length - typed.length;
      assert.ok(lost > 0 && lost <= unacknowledged, `${lost} bytes are lost, ${unacknowledged} reported`);
      // Input is acknowledged within about a second, so only the last part of the accepted input is unacknowledged.
      assert.ok(accepted.length > unacknowledged, `${unacknowledged} of ${accepted.length} bytes`);
      assert.equal(seen.refusal, "unstable");
      assert.deepEqual([seen.failed?.name, seen.failed?.delivered], ["ConnectionError", "maybe"]);
      assert.ok(seen.failed.message.includes(`the last ${unacknowledged} bytes`), seen.failed.message);
      const disconnect = seen.causes.find((cause) => cause);
      assert.deepEqual([disconnect.reason, disconnect.unacknowledged], ["unreachable", unacknowledged]);
      assert.ok(!seen.text.includes("🦀"), "the old input does not reach the new shell");
      console.log(
        `  ${name}: ${accepted.length} bytes accepted, ${lost} lost, the last ${unacknowledged} reported as possibly lost`,
      );
    });
  });
}

/** Returns a function that prepares the tests in this process with one binding. */
export function inNode(kind) {
  return async (startDesktop) => {
    process.env.ORGO_BINDING = kind;
    const sdk = await import("orgo-sdk");
    assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
    const client = await import("./client.mjs");
    return {
      sdk,
      desktop: await startDesktop(),
      run: (name, connection, params) => client[name](sdk, connection, params),
      close: async () => {},
    };
  };
}
