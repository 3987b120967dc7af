// Runs the conformance checks against the local desktop. The checks must make every call of the SDK.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startDesktop } from "../support/desktop.mjs";
import { freePort, startReceiver } from "../support/receiver.mjs";
import { differences } from "./conform.mjs";

/** The calls that the core declares. The table is generated from the declarations. */
const reference = readFileSync(new URL("../../docs/reference.md", import.meta.url), "utf8");
const rows = reference.matchAll(/^\| \[`.*?`\]\(.*?\) \| `([A-Z]+ \/.*?)` \|/gm);
const declared = new Set(Array.from(rows, ([, call]) => call));

let receiver;
let desktop;
before(async () => {
  receiver = await startReceiver();
  const dead = `rtmp://127.0.0.1:${await freePort()}/live/key`;
  desktop = await startDesktop({ connections: { live: receiver.url, dead } });
});
after(async () => {
  await desktop?.stop();
  await receiver?.close();
});

test("there are no differences, and every call was made", { timeout: 400_000 }, async () => {
  const { realtimeUrl } = desktop.options;
  const { port } = new URL(desktop.options.baseUrl);
  const { rows, called } = await differences({
    ...desktop.options,
    realtimeUrl,
    olderRealtimeUrl: `ws://{instance_id}.localhost:${port}/{channel}`,
    connection: "live",
    deadConnection: "dead",
  });
  assert.deepEqual(rows, []);
  assert.equal(declared.size, 28);
  assert.deepEqual(
    [...declared].filter((call) => !called.has(call)),
    [],
  );
});
