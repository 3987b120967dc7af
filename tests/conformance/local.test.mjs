// The local desktop meets the documented protocol.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startDesktop } from "../support/desktop.mjs";
import { NOT_OFFERED } from "./checks.mjs";
import { differences } from "./conform.mjs";

let desktop;
before(async () => {
  desktop = await startDesktop();
});
after(() => desktop?.stop());

test("what it offers does not differ", { timeout: 300_000 }, async () => {
  const found = await differences(desktop.options);
  assert.deepEqual(
    found.filter(({ difference }) => difference !== NOT_OFFERED),
    [],
  );
});
