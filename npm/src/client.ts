import { Caller } from "./caller.js";
import { Computer } from "./computer.js";
import { invalid } from "./errors.js";
import { Log, type Logger, type LogLevel } from "./logger.js";
import { type CallOptions, checkArgument, checkFields, checks } from "./options.js";
import type { Platform } from "./platform.js";
import { Computers } from "./resources/computers.js";
import { Files } from "./resources/files.js";
import { type RequestParams, requestParameters } from "./resources/request.js";
import { Workspaces } from "./resources/workspaces.js";

/** The settings of a client. */
export interface OrgoOptions {
  /** The account's key. Default in Node: the environment variable `ORGO_API_KEY`. */
  apiKey?: string;
  /** The root of the REST calls. Default: `ORGO_BASE_URL` in Node, else `https://www.orgo.ai/api`. */
  baseUrl?: string;
  /**
   * Where the channels are, if not where the computer says: a `ws` or `wss` URL with the places `{computer_id}`,
   * `{instance_id}` and `{channel}`. Default in Node: `ORGO_REALTIME_URL`.
   */
  realtimeUrl?: string;
  /**
   * The time limit of one request, in milliseconds. It bounds every call that does not name a server limit at least as
   * long, as `bash(command, { timeout: 300 })` does. Default: 60000, and for calls that wait for the computer (`bash`,
   * `exec`, `wait`, `drag`, `type`) the time that their parameters give the server and a margin, if that is longer.
   */
  timeout?: number;
  /** How long an answer that has begun may pause, in milliseconds. Default: 30000. */
  idleTimeout?: number;
  /**
   * The time limit of a call with all of its requests and the waits between them, in milliseconds. A wait that would
   * go beyond it is not begun. Default: what every request may take, and a minute before each retry.
   */
  totalTimeout?: number;
  /** How often a call is sent again after a failure that allows it. Default: 2. */
  maxRetries?: number;
  /**
   * The largest body of a response, in bytes; a larger one ends the call with a {@link ResponseTooLargeError}. Default:
   * 67108864 (64 MiB). The content that `files.bytes` fetches has a limit of its own, 1 GiB.
   */
  maxResponseBytes?: number;
  /** Header fields to send with every call. Those that describe the body or the connection are refused. */
  headers?: Record<string, string>;
  /** Where messages for a developer go, `console` for example. Default: nowhere. */
  logger?: Logger;
  /** How much the logger hears. Default: `info`. */
  logLevel?: LogLevel;
  /**
   * Allows an API key in a page, where everybody who opens the page can take it. Default: false. A page that works
   * one computer needs no key: it gets a {@link Connection}.
   */
  dangerouslyAllowBrowser?: boolean;
}

/** A client of the service: what both platforms share. */
export class OrgoClient {
  readonly workspaces: Workspaces;
  readonly computers: Computers;
  readonly files: Files;
  readonly #caller: Caller;

  /** @internal */
  constructor(platform: Platform, options: OrgoOptions = {}) {
    const owner = "Orgo";
    checkFields(owner, "options", options, {
      apiKey: checks.string,
      baseUrl: checks.string,
      realtimeUrl: checks.string,
      timeout: checks.milliseconds,
      idleTimeout: checks.milliseconds,
      totalTimeout: checks.milliseconds,
      maxRetries: checks.count,
      maxResponseBytes: checks.bytes,
      headers: checks.headers,
      logger: checks.logger,
      logLevel: checks.logLevel,
      dangerouslyAllowBrowser: checks.boolean,
    });
    // An empty variable is one that was not set.
    const setting = (given: string | undefined, name: string) => given ?? (platform.environment(name) || undefined);
    const api_key = setting(options.apiKey, "ORGO_API_KEY");
    const base_url = setting(options.baseUrl, "ORGO_BASE_URL");
    const realtime_url = setting(options.realtimeUrl, "ORGO_REALTIME_URL");
    const { timeout, idleTimeout, totalTimeout, maxRetries, maxResponseBytes, headers } = options;
    if (api_key !== undefined && !options.dangerouslyAllowBrowser && platform.exposed()) {
      const problem =
        "must not be in a page: everybody who opens it can take the key. Give the page a connection " +
        "(computer.connection() on your server, Orgo.connect() in the page), or set dangerouslyAllowBrowser";
      throw invalid(owner, "apiKey", problem);
    }
    this.#caller = new Caller(
      platform,
      {
        ...(api_key !== undefined && { api_key }),
        ...(base_url !== undefined && { base_url }),
        ...(realtime_url !== undefined && { realtime_url }),
        ...(timeout !== undefined && { timeout }),
        ...(idleTimeout !== undefined && { idle_timeout: idleTimeout }),
        ...(totalTimeout !== undefined && { total_timeout: totalTimeout }),
        ...(maxRetries !== undefined && { max_retries: maxRetries }),
        ...(maxResponseBytes !== undefined && { max_response_bytes: maxResponseBytes }),
        ...(headers !== undefined && { headers }),
      },
      new Log(options.logger, options.logLevel),
    );
    this.workspaces = new Workspaces(this.#caller);
    this.computers = new Computers(this.#caller);
    this.files = new Files(this.#caller);
  }

  /**
   * Sends a request to a path of the service that this package has no method for, with the same retries, errors and
   * masking of secrets as every other call.
   *
   * @returns the JSON of the response; its bytes as a `Uint8Array` if it is not JSON; `null` if its body is empty.
   * @throws InvalidParameterError for a parameter that is not acceptable, an {@link APIError} if the server refuses.
   */
  async request<Result = unknown>(params: RequestParams, options?: CallOptions): Promise<Result> {
    const { value, bytes } = await this.#caller.send("request", requestParameters(params), options);
    return (bytes ?? value) as Result;
  }

  /** A handle of a computer by its id. It makes no call: whether there is such a computer shows at the first use. */
  computer(id: string): Computer {
    checkArgument("orgo.computer", "id", id, checks.string);
    return new Computer(this.#caller, { id }, { known: false, owned: false });
  }
}
