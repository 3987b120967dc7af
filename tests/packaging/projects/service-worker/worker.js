import { check, useKey } from "./check.js";

const functions = { check: (connection) => check(connection, { play: false }), useKey };

async function answer({ name, connection }, port) {
  try {
    port.postMessage({ result: await functions[name](connection) });
  } catch (error) {
    port.postMessage({ error: error.stack });
  }
}

// Without `waitUntil`, the browser may end the service worker before the answer.
globalThis.onmessage = (event) => event.waitUntil(answer(event.data, event.ports[0]));
