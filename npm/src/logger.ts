import { runCallback } from "./callback.js";

/**
 * Receives the log lines of a client. `console` is a logger. If a method is missing, the lines of its level are skipped. The
 * lines contain no secrets.
 */
export interface Logger {
  /** Called with the lines of the level `error`. */
  error?(message: string): void;
  /** Called with the lines of the level `warn`. */
  warn?(message: string): void;
  /** Called with the lines of the level `info`. */
  info?(message: string): void;
  /** Called with the lines of the level `debug`. */
  debug?(message: string): void;
}

/** `off`, and then the log levels in the order of decreasing severity. */
export const LOG_LEVELS = ["off", "error", "warn", "info", "debug"] as const;

/**
 * The least severe level that is logged:
 *
 * - `off`: nothing.
 * - `error`: channels that ended unexpectedly.
 * - `warn`: also reconnects, refused passwords and input, and dropped data.
 * - `info`: also calls that are retried.
 * - `debug`: also every call, and every channel that opens or closes.
 */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger with the level of its client. */
export class ClientLog {
  readonly level: LogLevel;
  readonly #logger: Logger;

  constructor(logger: Logger | undefined, level: LogLevel = "info") {
    this.level = logger === undefined ? "off" : level;
    this.#logger = logger ?? {};
  }

  /** Logs one line if its level is enabled. */
  readonly write = (level: string, line: string): void => {
    const name = level as Exclude<LogLevel, "off">;
    if (LOG_LEVELS.indexOf(name) > LOG_LEVELS.indexOf(this.level)) return;
    runCallback(() => this.#logger[name]?.(`orgo-sdk: ${line}`));
  };
}
