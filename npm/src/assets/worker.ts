/** The time limit for the start of a worker, in milliseconds. */
const START_TIMEOUT = 10_000;

/** Creates a worker and waits for its first message. */
export async function createWorker(url: string | URL, name: string): Promise<Worker> {
  const worker = new Worker(url, { type: "module", name });
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`the worker ${url} ${reason}`));
      const timer = setTimeout(() => fail("did not start in time"), START_TIMEOUT);
      worker.onmessage = () => {
        clearTimeout(timer);
        resolve();
      };
      worker.onerror = (event) => {
        event.preventDefault();
        clearTimeout(timer);
        fail("cannot be loaded");
      };
    });
    return worker;
  } catch (error) {
    worker.terminate();
    throw error;
  }
}
