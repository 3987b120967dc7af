import { Orgo } from "orgo-sdk";
import { createComputer, listWorkspaces, summary } from "./computers.mjs";
import { Files } from "./files.mjs";
import { HttpError } from "./guard.mjs";
import { readJson } from "./http.mjs";
import { Screenshots } from "./screenshots.mjs";

/**
 * @typedef {object} Exchange
 * @property {import("node:http").IncomingMessage} request
 * @property {URLSearchParams} query
 * @property {import("./calls.mjs").Calls} calls records the SDK's calls
 * @property {AbortSignal} signal aborted when the page cancels the request
 *
 * @typedef {(onProgress: (progress: unknown) => void) => Promise<unknown>} LongCall reports progress and resolves with the result
 *
 * @typedef {{ status?: number, json: unknown } | { bytes: Uint8Array, type: string, etag: string } | { longCall: LongCall }} Result
 */

/** The computer methods for input that accept an object of parameters. */
const ACTIONS = ["click", "drag", "scroll"];
const LIFECYCLE = ["start", "stop", "restart"];
/** The options for calls that the page repeats periodically: no retries, because the page itself retries them. */
const POLLING = { maxRetries: 0 };
/** The timeout of a list call, in milliseconds. After a timeout, the page shows the service as unreachable. */
const LIST_TIMEOUT = 5_000;

/** The HTTP API of the page. No response contains the API key. */
export class Api {
  #orgo;
  #config;
  #first;
  #files;
  #screenshots = new Screenshots();

  /**
   * @param {Orgo} orgo
   * @param {import("./config.mjs").Config} config
   * @param {import("./first-computer.mjs").FirstComputer} first
   */
  constructor(orgo, config, first) {
    this.#orgo = orgo;
    this.#config = config;
    this.#first = first;
    this.#files = new Files(orgo);
  }

  /**
   * @param {string} path the part after `/api`
   * @param {Exchange} exchange
   * @returns {Promise<Result>}
   */
  async handle(path, exchange) {
    const { method } = exchange.request;
    const [, collection, id, action, ...rest] = path.split("/");
    if (rest.length === 0 && collection === "service" && id === undefined && method === "GET") return this.#service();
    if (collection === "computers" && id && action === "files") {
      if (rest.length === 0 && method === "GET") return this.#files.list(id, exchange);
      if (rest.length === 1 && method === "POST") return this.#files.upload(id, rest[0], exchange);
    }
    if (rest.length === 0 && collection === "files" && id) {
      if (action === "link" && method === "GET") return this.#files.link(id, exchange);
      if (action === undefined && method === "DELETE") return this.#files.delete(id, exchange);
    }
    if (rest.length === 0 && collection === "computers") {
      if (id === undefined && method === "GET") return this.#list(exchange);
      if (id === undefined && method === "POST") return this.#create(exchange);
      if (id && action === undefined && method === "DELETE") return this.#delete(id, exchange);
      if (id && action === "screenshot" && method === "GET") return this.#screenshot(id, exchange);
      if (id && action === "connection" && method === "GET") return this.#connection(id, exchange);
      if (id && action && method === "POST") return this.#act(id, action, exchange);
    }
    throw new HttpError(404, `There is no API call ${method} ${path.slice(0, 100)}`);
  }

  async #service() {
    const { kind, version } = await Orgo.bindingInfo();
    return { json: { host: this.#config.service, local: this.#config.local, binding: kind, version } };
  }

  async #list({ calls, signal }) {
    const workspaces = await listWorkspaces(this.#orgo, calls, { signal, timeout: LIST_TIMEOUT, ...POLLING });
    return {
      json: {
        workspaces: workspaces.map(({ id, name }) => ({ id, name })),
        computers: workspaces.flatMap((workspace) => (workspace.desktops ?? []).map((info) => summary(info, workspace))),
        first: this.#first.state,
      },
    };
  }

  async #create({ request, calls }) {
    const { workspace_id, name, ram, cpu, resolution } = await readJson(request);
    // No abort signal: the computer is created even if the page closes during the call.
    const computer = await createComputer(this.#orgo, calls, { workspace_id, name, ram, cpu, resolution });
    return { status: 201, json: summary(computer.info) };
  }

  async #delete(id, { calls }) {
    return { json: await calls.time("computers.delete", () => this.#orgo.computers.delete(id)) };
  }

  async #screenshot(id, { query, calls }) {
    const options = {
      ...(query.has("format") && { format: query.get("format") }),
      ...(query.has("scale") && { scale: number(query, "scale") }),
    };
    const take = () => this.#orgo.computer(id).screenshot({ ...options, ...POLLING });
    const shared = () => this.#screenshots.take(id, JSON.stringify(options), take);
    const { data, mime_type, etag } = await calls.time("computers.screenshot", shared);
    return { bytes: data, type: mime_type, etag };
  }

  async #connection(id, { calls, signal }) {
    return { json: await calls.time("computers.vncPassword", () => this.#orgo.computer(id).connection({ signal })) };
  }

  async #act(id, action, exchange) {
    const { request, calls } = exchange;
    const computer = this.#orgo.computer(id);
    const body = await readJson(request);
    const time = (call) => calls.time(`computers.${action}`, call);
    if (LIFECYCLE.includes(action)) return { json: await time(() => computer[action]()) };
    if (ACTIONS.includes(action)) return { json: await time(() => computer[action](body)) };
    if (action === "type") return { json: await time(() => computer.type(body.text, { delay_ms: body.delay_ms })) };
    if (action === "key") return { json: await time(() => computer.key(body.key)) };
    if (action === "export") return this.#files.export(id, body, exchange);
    throw new HttpError(404, `There is no action ${action.slice(0, 40)}`);
  }
}

function number(query, name) {
  const value = Number(query.get(name));
  if (!Number.isFinite(value)) throw new HttpError(400, `${name} must be a number`);
  return value;
}
