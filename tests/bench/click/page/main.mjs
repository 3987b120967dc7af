// The page of the benchmark: clicks by hand-written code, which does one thing more in each step, and by this package.
import { Orgo } from "orgo-sdk";

const KEY = "sk_bench";
const ID = "c1";
const CLICK = { x: 640, y: 360 };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The differences between the code of a program and the request of this package. */
const STEPS = [
  "a field `accept`",
  "header fields as a list",
  "the body as bytes",
  "`redirect: manual`",
  "an `AbortSignal`",
  "all header fields of the response",
  "the body of the response as bytes",
];

/** Returns code that sends a click with the first steps. */
function handWritten(origin, count) {
  const done = new Set(STEPS.slice(0, count));
  const [accept, list, bytes, manual, abort, fields, buffer] = STEPS.map((step) => done.has(step));
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  if (accept) headers.accept = "application/json";
  return async () => {
    const text = JSON.stringify(CLICK);
    const init = { method: "POST", headers: list ? Object.entries(headers) : headers, body: bytes ? encoder.encode(text) : text };
    if (manual) init.redirect = "manual";
    if (abort) init.signal = new AbortController().signal;
    // A program has several computers, so it builds the URL for each click.
    const response = await fetch(`http://${origin}/api/computers/${ID}/click`, init);
    if (!response.ok) throw new Error(`status ${response.status}`);
    if (fields) {
      let head = "";
      for (const [name, value] of response.headers) head += `${name}\n${value}\n`;
      if (!head.includes("content-type")) throw new Error("a response without a type");
    }
    return buffer ? JSON.parse(decoder.decode(await response.arrayBuffer())) : response.json();
  };
}

/** Loads the module, and returns code that sends a click with it, without the TypeScript API. */
async function withModule(origin) {
  const { Client, init, moduleUrl } = await import("../../../../npm/dist/wasm/rest.js");
  await init({ module_or_path: await WebAssembly.compileStreaming(fetch(moduleUrl())) });
  const client = new Client({ api_key: KEY, base_url: `http://${origin}/api` });
  return async () => {
    const call = `computers.click\n${JSON.stringify({ ...CLICK, id: ID })}\n`;
    const outcome = await new Promise((resolve) =>
      client.start(performance.now(), call, undefined, (_, outcome) => resolve(outcome)),
    );
    if (!outcome.ok) throw new Error(outcome.error.message);
    return outcome.value;
  };
}

/** Prepares all variants, and returns their names. */
globalThis.prepare = async (origin) => {
  const computer = new Orgo({ apiKey: KEY, baseUrl: `http://${origin}/api`, dangerouslyAllowBrowser: true }).computer(ID);
  globalThis.variants = {
    fetch: handWritten(origin, 0),
    ...Object.fromEntries(STEPS.map((step, index) => [step, handWritten(origin, index + 1)])),
    "the WebAssembly module": await withModule(origin),
    "the TypeScript API": () => computer.click(CLICK),
  };
  return Object.keys(globalThis.variants);
};

/** Sends clicks, several at a time. */
globalThis.work = async (variant, count, parallel) => {
  let left = count;
  const runner = async () => {
    while (left-- > 0) {
      const { success } = await globalThis.variants[variant]();
      if (success !== true) throw new Error(`${variant}: the response is not that of a click`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, runner));
};
