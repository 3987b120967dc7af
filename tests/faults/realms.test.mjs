// Objects of other realms and of other copies of the package are accepted wherever their own kind is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { certificate } from "../support/certificate.mjs";
import { startPage } from "./clients.mjs";
import { abortForeign, refuseOthers, uploadForeign } from "./realms.mjs";
import { startRefuser } from "./refuser.mjs";

let refuser;
before(async () => (refuser = await startRefuser()));
after(() => refuser.close());

async function load(kind) {
  process.env.ORGO_BINDING = kind;
  const sdk = await import(`${import.meta.resolve("orgo-sdk")}?${kind}`);
  assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
  return sdk;
}

function check({ uploaded, aborted, refused }, forms) {
  assert.deepEqual(Object.keys(uploaded), forms);
  for (const [form, content] of Object.entries(uploaded)) assert.equal(content, "abcd", form);
  assert.equal(aborted.aborted, "aborted");
  assert.equal(aborted.keepsReason, true);
  assert.match(aborted.refused, /`refresh` failed: no session$/);
  assert.deepEqual(refused, Array(5).fill("file"));
}

const BYTES = [
  "a Uint8Array that is a part of its buffer",
  "an ArrayBuffer",
  "a DataView",
  "a Uint16Array",
  "a SharedArrayBuffer",
  "a view of a SharedArrayBuffer",
];

for (const kind of ["native", "wasm"]) {
  test(`a vm context: ${kind}`, { timeout: 60_000 }, async () => {
    const sdk = await load(kind);
    const realm = runInContext("globalThis", createContext({}));
    const uploaded = await uploadForeign(sdk, refuser.url, realm);
    const aborted = await abortForeign(sdk, refuser.url, realm);
    check({ uploaded, aborted, refused: await refuseOthers(sdk, refuser.url, realm) }, BYTES);
    assert.equal((await uploadForeign(sdk, refuser.url, globalThis))["a Buffer"], "abcd");
  });
}

test("an iframe: wasm in Chromium", { timeout: 120_000 }, async (context) => {
  const client = await startPage(readFileSync(certificate(context).cert));
  context.after(() => client.close());
  const results = await client.run("useIframe", { url: refuser.url });
  // A page without cross-origin isolation has no SharedArrayBuffer.
  const forms = BYTES.filter((form) => !form.includes("Shared"));
  check(results, [...forms, "a Blob", "a File"]);
});

test("an ES module copy and a CommonJS copy of the package work together", { timeout: 60_000 }, async () => {
  const first = await load("native");
  const second = createRequire(import.meta.url)("orgo-sdk");
  assert.notEqual(first.OrgoError, second.OrgoError);
  const orgo = new first.Orgo({ apiKey: "sk_fault", baseUrl: `${refuser.url}/refuse-404/api`, maxRetries: 0 });
  const error = await orgo.computers.get("c").catch((error) => error);
  const connection = { version: 1, computer_id: "c", password: "p", connection_url: `${refuser.url}/close-4401` };
  const refused = await second.Orgo.connect(connection, { refresh: () => Promise.reject(error) })
    .events(["idle"], { maxRetries: 0 })
    .catch((error) => error);
  assert.match(refused.message, /`refresh` failed: computers\.get: 404/);
  // The class of one copy is not that of the other, but the kind is.
  assert.equal(refused instanceof first.OrgoError, false);
  assert.equal(refused.kind, "closed");
});
