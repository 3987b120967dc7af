// Counts how often a call passes between JavaScript and the module of a page. Each time touches code that the browser has replaced in
// the caches of the CPU since the last request, so the number decides the time of a call.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, test } from "node:test";

const inModules = (name) => new URL(`../../npm/dist/wasm/${name}`, import.meta.url);
const CALL = `computers.click\n${JSON.stringify({ id: "c1", x: 640, y: 360 })}\n`;

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => response.end('{"success":true}'));
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
after(() => server.close());

// The timer of the time limits would keep this process running, because the module has no host of Node here.
const { setTimeout } = globalThis;
globalThis.setTimeout = (...parts) => setTimeout(...parts).unref();

/** Calls `record` whenever one of the functions is called. */
const recorded = (functions, record) =>
  Object.fromEntries(
    Object.entries(functions).map(([name, value]) => {
      if (typeof value !== "function") return [name, value];
      const call = (...parts) => {
        record(name);
        return value(...parts);
      };
      return [name, call];
    }),
  );

/** Loads the module with the REST calls. `record` receives each call of a function of the module or of JavaScript. */
async function load(record) {
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (module, imports) => {
    const functions = Object.entries(imports).map(([name, members]) => [name, recorded(members, record)]);
    const { exports } = await instantiate(module, Object.fromEntries(functions));
    return { exports: recorded(exports, record) };
  };
  try {
    const { Client, init } = await import(inModules("orgo_rest.js"));
    await init({ module_or_path: new WebAssembly.Module(readFileSync(inModules("orgo_rest_bg.wasm"))) });
    return new Client({ api_key: "sk_test", base_url: `http://127.0.0.1:${server.address().port}` });
  } finally {
    WebAssembly.instantiate = instantiate;
  }
}

test("a call passes between JavaScript and the module at most 10 times, and needs no finalizer", async (t) => {
  const passed = [];
  let finalizers = 0;
  const { register } = FinalizationRegistry.prototype;
  t.after(() => Object.assign(FinalizationRegistry.prototype, { register }));
  FinalizationRegistry.prototype.register = function (...parts) {
    // `fetch` of Node has finalizers too.
    const [, , caller] = new Error().stack.split("\n");
    if (caller.includes("orgo_rest.js")) finalizers += 1;
    return register.apply(this, parts);
  };

  const client = await load((name) => passed.push(name));
  assert.equal(finalizers, 1, "the client has a finalizer");
  const click = () =>
    new Promise((resolve) => client.start(performance.now(), CALL, undefined, (_, outcome) => resolve(outcome)));
  // The first call starts the timer that all calls share.
  await click();
  passed.length = 0;
  finalizers = 0;
  assert.deepEqual(await click(), { ok: true, value: { success: true } });
  assert.ok(passed.length > 0 && passed.length <= 10, `${passed.length} times: ${passed.join(" ")}`);
  assert.equal(finalizers, 0);
});
