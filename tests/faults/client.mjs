// One call and all that is known of it afterwards. It runs in Node and in a page.
import { CALLS } from "./calls.mjs";

/** What of an error is compared. */
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
 * @typedef {object} Made
 * @property {object} [error] the fields of the error, if the call failed
 * @property {{ loaded: number, total: number }[]} progress what it told of its progress
 * @property {number[]} waits the waits before each further try, in milliseconds, as the log tells of them
 */

/**
 * @param {typeof import("orgo-sdk")} sdk
 * @param {object} task
 * @param {string} task.call
 * @param {boolean} task.watched whether it is to tell how far it is
 * @param {boolean} task.warm whether a good call goes first
 * @param {string} task.baseUrl
 * @param {object} task.options of the call
 * @param {() => void} onRetry called when the call is about to be tried again
 * @returns {Promise<Made>}
 */
export async function make(sdk, { call, watched, warm, baseUrl, options }, onRetry) {
  const log = new CallLog(onRetry);
  const orgo = new sdk.Orgo({ apiKey: "sk_fault", baseUrl, logger: log, logLevel: "debug", dangerouslyAllowBrowser: true });
  if (warm) {
    await orgo.computers.get("warm");
    await log.ended();
  }
  const progress = [];
  const onProgress = (made) => progress.push(made);
  let error;
  try {
    await CALLS[call](orgo, watched ? { ...options, onProgress } : options);
  } catch (thrown) {
    error = Object.fromEntries(FIELDS.filter((name) => thrown[name] !== undefined).map((name) => [name, thrown[name]]));
  }
  const told = [...progress];
  const waits = await log.ended();
  if (progress.length > told.length) throw new Error("it told of progress after its end");
  return { error, progress: told, waits };
}

/** Reads what the log says of one call after the other. */
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

  /** The waits of the call that ends now, once the log has told of its end. */
  async ended() {
    await this.#ended;
    this.#begin();
    return this.#waits.splice(0);
  }
}
