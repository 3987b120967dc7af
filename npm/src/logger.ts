import { callOut } from "./uncaught.js";

/** Where messages for a developer go; `console` fits. Secrets are never in them. */
export interface Logger {
  error?(message: string): void;
  warn?(message: string): void;
  info?(message: string): void;
  debug?(message: string): void;
}

/** Every level, the gravest first, after the one for nothing. */
export const LOG_LEVELS = ["off", "error", "warn", "info", "debug"] as const;

/**
 * How much a logger hears: what ended that should not have (`error`), what was lost, refused or dialled again
 * (`warn`), what was sent again (`info`), every call and every opening (`debug`).
 */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger with the level that its client was given. */
export class Log {
  readonly level: LogLevel;
  readonly #logger: Logger;

  constructor(logger: Logger | undefined, level: LogLevel = "info") {
    this.level = logger === undefined ? "off" : level;
    this.#logger = logger ?? {};
  }

  /** Hands one line over, if it matters enough. What a logger throws is reported as uncaught and ends nothing here. */
  readonly write = (level: string, line: string): void => {
    const name = level as Exclude<LogLevel, "off">;
    if (LOG_LEVELS.indexOf(name) > LOG_LEVELS.indexOf(this.level)) return;
    callOut(() => this.#logger[name]?.(`orgo-sdk: ${line}`));
  };
}
