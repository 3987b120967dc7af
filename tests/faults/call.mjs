// Makes a call and returns its result, progress and retries. Runs in Node and in a page.
import { CALLS } from "./calls.mjs";

/** The fields of an error that the tests compare. */
const FIELDS = [
  "name",
  "kind",
  "delivered",
  "status",
  "code",
  "request_id",
  "upstream_status",
  "retry_after",
  "limit",
  "message",
];

/**
 * @typedef {object} CallResult
 * @property {object} [error] the fields of the error if the call failed
 * @property {{ loaded: number, total: number }[]} progress the reported progress
 * @property {number[]} waits the delays before the retries according to the log, in milliseconds
 */

/**
 * @param {typeof import("orgo-sdk")} sdk
 * @param {object} task
 * @param {string} task.call
 * @param {boolean} task.withProgress whether to request progress
 * @param {boolean} task.warm whether to make a successful call first
 * @param {string} task.baseUrl
 * @param {object} task.options the options of the call
 * @param {() => void} onRetry called before each retry
 * @returns {Promise<CallResult>}
 */
export async function makeCall(sdk, { call, withProgress, warm, baseUrl, options }, onRetry) {
  const log = new CallLog(onRetry);
  const orgo = new sdk.Orgo({ apiKey: "sk_fault", baseUrl, logger: log, logLevel: "debug", dangerouslyAllowBrowser: true });
  if (warm) {
    await orgo.computers.get("warm");
    await log.ended();
  }
  const progress = [];
  const onProgress = (event) => progress.push(event);
  let error;
  try {
    await CALLS[call](orgo, withProgress ? { ...options, onProgress } : options);
  } catch (thrown) {
    error = Object.fromEntries(FIELDS.filter((name) => thrown[name] !== undefined).map((name) => [name, thrown[name]]));
  }
  const reported = [...progress];
  const waits = await log.ended();
  if (progress.length > reported.length) throw new Error("the call reported progress after its end");
  return { error, progress: reported, waits };
}

/** A logger that extracts the retries and the end of each call. */
class CallLog {
  #onRetry;
  #waits = [];
  #end;
  #ended;

  constructor(onRetry) {
    this.#onRetry = onRetry;
    this.#begin();
  }

  #begin() {
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  info(line) {
    const wait = / retrying in (\d+) ms/.exec(line);
    if (wait === null) return;
    this.#waits.push(Number(wait[1]));
    this.#onRetry();
  }

  debug(line) {
    if (/ \d+ requests/.test(line)) this.#end();
  }

  /** Waits until the log contains the end of the current call. Returns the delays before its retries. */
  async ended() {
    await this.#ended;
    this.#begin();
    return this.#waits.splice(0);
  }
}
