// Publishes functions that run in a worker.
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });

const inWorker = (name) => (connection) =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data: { result, error } }) => (error ? reject(new Error(error)) : resolve(result));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage({ name, connection });
  });

Object.assign(globalThis, { check: inWorker("check"), useKey: inWorker("useKey") });
