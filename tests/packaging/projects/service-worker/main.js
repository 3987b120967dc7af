// Publishes functions that run in a service worker.
const registered = navigator.serviceWorker.register("./worker.js", { type: "module" });

const inWorker = (name) => async (connection) => {
  await registered;
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve, reject) => {
    port1.onmessage = ({ data: { result, error } }) => (error ? reject(new Error(error)) : resolve(result));
    active.postMessage({ name, connection }, [port2]);
  });
};

Object.assign(globalThis, { check: inWorker("check"), useKey: inWorker("useKey") });
