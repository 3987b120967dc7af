// The files that a page loads on demand, and their embedded copies.
import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { Asset, configure } = source;

/** Creates an asset, and records the sources that are used. */
function asset({ configured, url = () => "url", embedded = async () => "copy" } = {}) {
  return new Asset({ configured: () => configured, url, embedded, remedy: () => "do this" });
}

/** Returns a function that fails for some sources, and the sources with which it was called. */
function user(...failing) {
  const used = [];
  const use = async (source) => {
    used.push(source);
    if (failing.includes(source)) throw new Error(`${source} fails`);
    return `result of ${source}`;
  };
  return { used, use };
}

test("the embedded copy is not loaded if the URL can be used", async () => {
  const { use, used } = user();
  const file = asset({ embedded: () => assert.fail("the copy is loaded") });
  assert.equal(await file.use(use), "result of url");
  assert.deepEqual(used, ["url"]);
  assert.equal(file.fallbackCause, undefined);
});

test("if the URL cannot be used, the embedded copy is used, then and later", async () => {
  const { use, used } = user("url");
  const file = asset();
  assert.equal(await file.use(use), "result of copy");
  assert.equal(await file.use(use), "result of copy");
  assert.deepEqual(used, ["url", "copy", "copy"]);
  assert.equal(file.fallbackCause.message, "url fails");
});

test("a URL that a bundler made invalid counts as a failure", async () => {
  const file = asset({ url: () => new URL("./file", undefined) });
  assert.equal(await file.use(user().use), "result of copy");
  assert.equal(file.fallbackCause.code, "ERR_INVALID_URL");
});

test("if nothing can be used, the error contains both causes and the remedy, and the URL is tried again", async () => {
  const { use, used } = user("url", "copy");
  const file = asset();
  const reason = { message: "url fails; its embedded copy: copy fails; do this" };
  await assert.rejects(file.use(use), reason);
  await assert.rejects(file.use(use), reason);
  assert.deepEqual(used, ["url", "copy", "url", "copy"]);
  assert.equal(file.fallbackCause, undefined);
});

test("if the embedded copy cannot be loaded, the error does not contain the remedy for a copy that is refused", async () => {
  const file = asset({ embedded: () => Promise.reject(new Error("status 503")) });
  await assert.rejects(file.use(user("url").use), { message: "url fails; its embedded copy: status 503" });
});

test("a configured source has no fallback", async () => {
  const { use, used } = user("mine");
  await assert.rejects(asset({ configured: "mine" }).use(use), { message: "mine fails" });
  assert.deepEqual(used, ["mine"]);
});

test("configure names an invalid option and the accepted values", () => {
  const refuses = (options, field, message) => assert.throws(() => configure(options), { field, message });
  refuses({ wasm: {} }, "wasm", /must be a URL, an ArrayBuffer, a Uint8Array or a WebAssembly.Module/);
  refuses({ workerUrl: 1 }, "workerUrl", /must be a URL/);
  refuses({ worker: "x" }, "worker", /is not a known option, the options are workletUrl, workerUrl, wasm/);
});
