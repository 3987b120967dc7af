// Runs every call under every fault, through each binding, and compares the outcomes with the rules and docs/faults.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { certificate } from "../support/certificate.mjs";
import { CALLS } from "./calls.mjs";
import { startNode, startPage } from "./clients.mjs";
import { EFFECTS } from "./effects.mjs";
import { cells, run } from "./matrix.mjs";
import { FILE, page, summary } from "./table.mjs";

/** The maximum number of wrong calls in the message of a failure. */
const SHOWN = 20;

let certificates, authority;

before((context) => {
  const read = ({ key, cert }) => ({ key: readFileSync(key), cert: readFileSync(cert) });
  const known = certificate(context);
  authority = known.ca;
  certificates = { known: read(known), stranger: read(certificate(context)) };
});

test("the tests cover every call", () => assert.deepEqual(Object.keys(CALLS), Object.keys(EFFECTS)));

const start = {
  native: () => startNode("native", authority),
  "wasm in Node": () => startNode("wasm", authority),
  "wasm in Chromium": () => startPage(certificates.known.cert),
};
for (const [platform, begin] of Object.entries(start)) {
  test(`every call under every fault: ${platform}`, { timeout: 300_000 }, async (context) => {
    const client = await begin();
    context.after(() => client.close());
    assert.equal(client.kind, platform.split(" ")[0]);
    const all = cells(EFFECTS);
    const met = await run(client, platform, all, certificates);
    assert.equal(met.length, all.length);
    console.log(`${all.length} calls through ${platform}\n${summary(met)}`);
    const wrong = met.filter((cell) => cell.wrong.length > 0);
    const name = ({ call, fault, followed, watched, passes }) =>
      `${call}${followed ? " (its link)" : ""}${watched ? " (watched)" : ""}, ${fault}, ${passes ? "transient" : "persistent"}`;
    const details = wrong.slice(0, SHOWN).map((cell) => `\n${name(cell)}: ${cell.wrong.join("; ")}`);
    assert.ok(wrong.length === 0, `${wrong.length} calls had another outcome:${details.join("")}`);
  });
}

test("docs/faults.md is current", () => {
  assert.equal(readFileSync(FILE, "utf8"), page(), "docs/faults.md is stale: run node tests/faults/write.mjs");
});
