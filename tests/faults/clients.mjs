// Where the package works: in a process with the addon, in a process with WebAssembly, in a page.
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
 * @property {string} kind which binding works
 * @property {number} atOnce how many calls it may be asked to make at once
 * @property {(name: "make" | "provoke", task: object, onRetry?: () => void) => Promise<object>} work
 * @property {() => Promise<void>} close
 */

/** What this machine sets, and would come between a client and a fault. */
const FOREIGN = /^(all|http|https|no)_proxy$|^node_extra_ca_certs$|^ssl_cert_(dir|file)$/i;

/**
 * A process of Node.
 *
 * @param {"native" | "wasm"} kind
 * @param {string} [authority] the file with the authority that it trusts
 * @returns {Promise<Client>}
 */
export async function startNode(kind, authority) {
  const own = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name));
  const env = { ...Object.fromEntries(own), ORGO_BINDING: kind, ...(authority && { NODE_EXTRA_CA_CERTS: authority }) };
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
    atOnce: 600,
    work(name, task, onRetry) {
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, onRetry });
        void ended.then(() => reject(new Error("the process ended before its work")));
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
 * A page in Chromium.
 *
 * @param {Buffer} certificate the only certificate that it trusts, in PEM
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
  await page.waitForFunction(() => globalThis.work !== undefined);
  let next = 0;
  return {
    kind: "wasm",
    // A browser has no more than 256 connections.
    atOnce: 180,
    work(name, task, onRetry) {
      const id = next++;
      waiting.set(id, onRetry);
      return page.evaluate((given) => globalThis.work(...given), [id, name, task]);
    },
    async close() {
      await browser.close();
      await pages.close();
      rmSync(folder, { recursive: true });
    },
  };
}
