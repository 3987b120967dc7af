import { Caller } from "./caller.js";
import { Computer } from "./computer.js";
import { invalidParameter } from "./errors.js";
import { ClientLog, type Logger, type LogLevel } from "./logger.js";
import { bindingOptions, type CallOptions, checkArgument, checkFields, checks, defined } from "./options.js";
import type { Platform } from "./platform.js";
import { Computers } from "./resources/computers.js";
import { Files } from "./resources/files.js";
import { type RequestParams, requestParameters } from "./resources/request.js";
import { Workspaces } from "./resources/workspaces.js";

/** The options of a client. */
export interface OrgoOptions {
  /** The API key of the account. Default: the environment variable `ORGO_API_KEY` in Node, none in a page. */
  apiKey?: string;
  /** The base URL of the REST API. Default: the environment variable `ORGO_BASE_URL` in Node, else `https://www.orgo.ai/api`. */
  baseUrl?: string;
  /**
   * The URL of the channels: a `ws` or `wss` URL with the placeholders `{computer_id}`, `{instance_id}` and `{channel}`.
   * Default: the environment variable `ORGO_REALTIME_URL` in Node, else the URL that the computer reports.
   */
  realtimeUrl?: string;
  /**
   * The time limit of one request with its whole response, in milliseconds. Default: 60000. Calls that wait for the
   * computer (`bash`, `exec`, `wait`, `drag`, `type`) have a longer default if their parameters give the server more time:
   * that time plus 15 seconds.
   *
   * A limit that is set here applies to these calls as well, unless the call names a server limit that is at least as long,
   * for example `bash(command, { timeout: 300 })`.
   */
  timeout?: number;
  /** The longest pause within a response, in milliseconds. Default: 30000. */
  idleTimeout?: number;
  /**
   * The time limit of a call with all of its requests and the waits between them, in milliseconds. A wait that would
   * exceed it does not start; the call fails at once. Default: the sum of the limits of all requests, plus a minute for
   * each retry.
   */
  totalTimeout?: number;
  /**
   * The maximum number of retries of a call, from 0 to 100. Calls that must not be executed twice, such as a click, are
   * retried only if the server certainly did not execute them. Default: 2.
   */
  maxRetries?: number;
  /**
   * The maximum size of a response body, in bytes. A larger body ends the call with a {@link ResponseTooLargeError}.
   * Default: 67108864 (64 MiB). It does not apply to `files.bytes`, whose default is 1 GiB, and to `files.stream`.
   */
  maxResponseBytes?: number;
  /**
   * Additional headers of every request. Headers that describe the body or the connection, such as `content-length`, are
   * rejected. Default: none.
   */
  headers?: Record<string, string>;
  /** Receives log lines, for example `console`. Default: nothing is logged. */
  logger?: Logger;
  /** The least severe level that is logged. Default: `info`. */
  logLevel?: LogLevel;
  /**
   * Allows an API key in a page, where every visitor can read it. Default: `false`. A page that controls one computer
   * needs a {@link Connection} instead of an API key.
   */
  dangerouslyAllowBrowser?: boolean;
}

/** A client of the service: the methods that Node and pages have in common. */
export class OrgoClient {
  /** The workspaces of the account. */
  readonly workspaces: Workspaces;
  /** Creates, fetches and deletes computers. */
  readonly computers: Computers;
  /** The files of workspaces and computers. */
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
    // An empty environment variable counts as not set.
    const setting = (given: string | undefined, name: string) => given ?? (platform.environment(name) || undefined);
    const api_key = setting(options.apiKey, "ORGO_API_KEY");
    const base_url = setting(options.baseUrl, "ORGO_BASE_URL");
    const realtime_url = setting(options.realtimeUrl, "ORGO_REALTIME_URL");
    if (api_key !== undefined && !options.dangerouslyAllowBrowser && platform.exposed()) {
      const problem =
        "must not be used in a page, where every visitor can read it. Send a connection to the page " +
        "(computer.connection() on your server, Orgo.connect() in the page), or set dangerouslyAllowBrowser";
      throw invalidParameter(owner, "apiKey", problem);
    }
    this.#caller = new Caller(
      platform,
      {
        ...defined({ api_key, base_url, realtime_url }),
        ...bindingOptions(options),
      },
      new ClientLog(options.logger, options.logLevel),
    );
    this.workspaces = new Workspaces(this.#caller);
    this.computers = new Computers(this.#caller);
    this.files = new Files(this.#caller);
  }

  /**
   * Sends a request to a path of the service for which this package has no method. Retries, limits, errors and the masking in
   * them are the same as for all other calls. The result is not changed: printing it shows all of its fields.
   *
   * @returns the parsed JSON of the response, a `Uint8Array` if the body is not JSON, or `null` if the body is empty.
   * @throws InvalidParameterError for an invalid parameter; APIError if the server refuses the request.
   */
  async request<Result = unknown>(params: RequestParams, options?: CallOptions): Promise<Result> {
    const { value, bytes } = await this.#caller.send("request", requestParameters(params), options);
    return (bytes ?? value) as Result;
  }

  /**
   * Returns a handle of the computer with this id. It makes no call: if the computer does not exist, the first call of one of its
   * methods rejects with a {@link NotFoundError}.
   *
   * @throws InvalidParameterError if the id is not a non-empty string.
   */
  computer(id: string): Computer {
    checkArgument("orgo.computer", "id", id, checks.string);
    return new Computer(this.#caller, { id }, { known: false, owned: false });
  }
}
