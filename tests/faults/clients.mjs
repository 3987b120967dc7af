// The platforms of the package: a process with the addon, a process with WebAssembly, and a page.
import { fork } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPage } from "../support/build-page.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";

/**
 * @typedef {object} Client
 * @property {string} kind the kind of the binding
 * @property {number} concurrency the maximum number of concurrent calls
 * @property {(name: "makeCall" | "trigger", task: object, onRetry?: () => void) => Promise<object>} run
 * @property {() => Promise<void>} close
 */

/** Matches the names of environment variables that would change the behavior of a client. */
const EXCLUDED = /^(all|http|https|no)_proxy$|^node_extra_ca_certs$|^ssl_cert_(dir|file)$/i;

/**
 * Starts a Node process.
 *
 * @param {"native" | "wasm"} kind
 * @param {string} [authority] the path of the certificate authority that the process trusts
 * @returns {Promise<Client>}
 */
export async function startNode(kind, authority) {
  const inherited = Object.entries(process.env).filter(([name]) => !EXCLUDED.test(name));
  const env = { ...Object.fromEntries(inherited), ORGO_BINDING: kind, ...(authority && { NODE_EXTRA_CA_CERTS: authority }) };
  const child = fork(fileURLToPath(new URL("child.mjs", import.meta.url)), { env });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const waiting = new Map();
  const ready = new Promise((resolve, reject) => {
    child.once("message", resolve);
    void ended.then((code) => reject(new Error(`the process ended with ${code}`)));
  });
  child.on("message", ({ id, done, retries }) => {
    if (retries) waiting.get(id).onRetry();
    if (done) waiting.get(id).resolve(done);
  });
  let next = 0;
  return {
    kind: (await ready).kind,
    concurrency: 600,
    run(name, task, onRetry) {
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, onRetry });
        void ended.then(() => reject(new Error("the process ended before its task")));
        child.send({ id, name, task });
      });
    },
    async close() {
      child.disconnect();
      await ended;
    },
  };
}

/**
 * Opens a page in Chromium.
 *
 * @param {Buffer} certificate the only certificate that the page trusts, in PEM
 * @returns {Promise<Client>}
 */
export async function startPage(certificate) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-faults-"));
  await buildPage(new URL("page", import.meta.url), folder);
  const pages = await startPages(() => folder, { connects: "http: https: ws:" });
  const key = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  const hash = createHash("sha256").update(key).digest("base64");
  const browser = await startChromium([`--ignore-certificate-errors-spki-list=${hash}`]);
  const page = await browser.newPage();
  const waiting = new Map();
  await page.exposeFunction("retries", (id) => waiting.get(id)());
  await page.goto(pages.origin);
  await page.waitForFunction(() => globalThis.run !== undefined);
  let next = 0;
  return {
    kind: "wasm",
    // Lower than 256, the maximum number of connections that a browser opens.
    concurrency: 180,
    run(name, task, onRetry) {
      const id = next++;
      waiting.set(id, onRetry);
      return page.evaluate((args) => globalThis.run(...args), [id, name, task]);
    },
    async close() {
      await browser.close();
      await pages.close();
      rmSync(folder, { recursive: true });
    },
  };
}
