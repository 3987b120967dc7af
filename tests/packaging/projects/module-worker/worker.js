import { check, useKey } from "./check.js";

const functions = { check: (connection) => check(connection, { play: false }), useKey };

globalThis.onmessage = async ({ data: { name, connection } }) => {
  try {
    globalThis.postMessage({ result: await functions[name](connection) });
  } catch (error) {
    globalThis.postMessage({ error: error.stack });
  }
};
