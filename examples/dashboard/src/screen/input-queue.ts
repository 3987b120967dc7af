import type { ActionName, Actions } from "../api/client.js";

/** A click. `second` is true for the second click of a double click. */
export interface Click {
  x: number;
  y: number;
  button: "left" | "right";
  second: boolean;
}

type Input = (
  | { [Name in Exclude<ActionName, "click">]: { action: Name; params: Actions[Name] } }[Exclude<ActionName, "click">]
  | { action: "click"; click: Click }
) & {
  /** Whether the input is the auto-repeat of a held key. */
  repeat: boolean;
  /** Whether the input is part of a paste. */
  pasted?: boolean;
};

/** The maximum length of the text of one call, in UTF-16 code units. A click must wait until the computer has typed the text. */
const MAX_TEXT_LENGTH = 200;
/** The maximum number of queued characters from a held key, which are sent in one call. */
const MAX_REPEATS = 8;
/** The maximum number of wheel notches in one call. On a slow connection, a long swipe must not scroll for minutes. */
const MAX_NOTCHES = 60;
/** The time between two clicks within which all desktops detect a double click, in milliseconds. */
const DOUBLE_CLICK_TIME = 350;

export interface QueueOptions {
  send<Name extends ActionName>(action: Name, params: Actions[Name]): Promise<void>;
  /** Called after each successful call. */
  onSent(): void;
  /**
   * Called when an input failed.
   *
   * @returns whether to send the queued inputs. If false, they are dropped, because they may depend on the failed input
   */
  onError(error: unknown): boolean;
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  now?: () => number;
}

/**
 * Sends inputs one after the other, because the order of keys and clicks matters. Merges queued inputs if possible.
 *
 * A held key can repeat faster than a slow connection can send calls. At most one call with repeats is queued, and releasing
 * the key removes it from the queue. Key presses are never dropped.
 */
export class InputQueue {
  readonly #options: QueueOptions;
  #queued: Input[] = [];
  #busy = false;
  #firstClickAt = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Queues text. `repeat` is true for the auto-repeat of a held key. */
  type(text: string, repeat = false): void {
    const limit = repeat ? MAX_REPEATS : MAX_TEXT_LENGTH;
    for (const part of split(text)) {
      const last = this.#queued.at(-1);
      const canMerge = last?.action === "type" && last.repeat === repeat && !last.pasted;
      if (canMerge && last.params.text.length + part.length <= limit) {
        last.params.text += part;
      } else if (!repeat || last === undefined) {
        this.#queued.push({ action: "type", params: { text: part }, repeat });
      }
    }
    void this.#drain();
  }

  paste(text: string): void {
    for (const part of split(text)) this.#push({ action: "type", params: { text: part }, repeat: false, pasted: true });
  }

  /** Drops the queued parts of pastes. Returns the number of dropped characters. */
  cancelPaste(): number {
    const pasted = this.#queued.filter((input) => input.pasted);
    this.#queued = this.#queued.filter((input) => !input.pasted);
    return pasted.reduce((sum, input) => sum + (input.action === "type" ? [...input.params.text].length : 0), 0);
  }

  /** Queues a key press. `repeat` is true for the auto-repeat of a held key. */
  key(key: string, repeat = false): void {
    if (repeat && this.#queued.length > 0) return;
    this.#push({ action: "key", params: { key }, repeat });
  }

  click(click: Click): void {
    this.#push({ action: "click", click, repeat: false });
  }

  drag(params: Actions["drag"]): void {
    this.#push({ action: "drag", params, repeat: false });
  }

  scroll(params: Actions["scroll"]): void {
    const last = this.#queued.at(-1);
    if (last?.action === "scroll" && last.params.direction === params.direction) {
      last.params = { ...params, amount: Math.min(last.params.amount + params.amount, MAX_NOTCHES) };
    } else {
      this.#push({ action: "scroll", params, repeat: false });
    }
  }

  /** Drops the queued repeats. Called when a key is released. */
  release(): void {
    this.#queued = this.#queued.filter(({ repeat }) => !repeat);
  }

  /** Drops all queued inputs. */
  clear(): void {
    this.#queued = [];
  }

  #push(input: Input): void {
    this.#queued.push(input);
    void this.#drain();
  }

  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let input = this.#queued.shift(); input !== undefined; input = this.#queued.shift()) {
      try {
        await this.#send(input);
        this.#options.onSent();
      } catch (error) {
        if (!this.#options.onError(error)) this.clear();
      }
    }
    this.#busy = false;
  }

  async #send(input: Input): Promise<void> {
    const { send } = this.#options;
    switch (input.action) {
      case "click":
        return this.#click(input.click);
      case "drag":
        return send("drag", input.params);
      case "scroll":
        return send("scroll", input.params);
      case "type":
        return send("type", input.params);
      case "key":
        return send("key", input.params);
    }
  }

  /**
   * Sends a click. The computer detects a double click if two clicks arrive in quick succession. If the connection is too slow
   * for that, sends the second click as a double click.
   */
  async #click({ x, y, button, second }: Click): Promise<void> {
    const now = this.#options.now?.() ?? performance.now();
    const tooSlow = second && now - this.#firstClickAt > DOUBLE_CLICK_TIME;
    this.#firstClickAt = now;
    await this.#options.send("click", { x, y, button, ...(tooSlow && { double: true }) });
  }
}

/** Splits text into parts that each fit into one call. Does not split surrogate pairs. */
function split(text: string): string[] {
  const parts: string[] = [];
  let part = "";
  for (const character of text) {
    if (part.length + character.length > MAX_TEXT_LENGTH) {
      parts.push(part);
      part = "";
    }
    part += character;
  }
  if (part !== "") parts.push(part);
  return parts;
}
