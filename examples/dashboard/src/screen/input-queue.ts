import type { ActionName, Actions } from "../api/client.js";

/** A click, which may be the second one of a double click. */
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
  /** Whether it comes from a key that is held down, and not from a press of its own. */
  repeat: boolean;
  /** Whether it is a piece of a paste, which may be much longer than what anybody types. */
  pasted?: boolean;
};

/** How much text goes in one call, in UTF-16 units: a computer types it key by key, and a click should not wait for long. */
const LONGEST_TEXT = 200;
/** How many characters of a key that is held down may wait for the call before them. They go in one call. */
const MOST_REPEATS = 8;
/** The most notches of the wheel in one call. A slow link must not turn a long swipe into minutes of scrolling. */
const MOST_NOTCHES = 60;
/** The longest time between two clicks that desktops take for a double click, with a margin, in milliseconds. */
const DOUBLE_CLICK = 350;

export interface QueueOptions {
  send<Name extends ActionName>(action: Name, params: Actions[Name]): Promise<void>;
  /** Called after each input that arrived. */
  sent(): void;
  /**
   * An input failed.
   *
   * @returns whether those behind it are sent all the same: if it alone was refused. Otherwise they are dropped, since
   * they were meant to follow it
   */
  failed(error: unknown): boolean;
  /** Milliseconds of a clock that never goes back. Default: the page's. */
  now?: () => number;
}

/**
 * Sends inputs one after the other, since the order of keys and clicks matters, and joins those that wait and fit.
 *
 * A key that is held down repeats faster than a slow link takes calls. Its repeats are sent at the pace of the link: at
 * most one call of them waits, and none is sent after the key is released. Presses are never dropped.
 */
export class InputQueue {
  readonly #options: QueueOptions;
  #waiting: Input[] = [];
  #busy = false;
  #firstClickAt = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** @param repeat whether a key that is held down writes it again */
  type(text: string, repeat = false): void {
    const longest = repeat ? MOST_REPEATS : LONGEST_TEXT;
    for (const part of parts(text)) {
      const last = this.#waiting.at(-1);
      const joins = last?.action === "type" && last.repeat === repeat && !last.pasted;
      if (joins && last.params.text.length + part.length <= longest) {
        last.params.text += part;
      } else if (!repeat || last === undefined) {
        this.#waiting.push({ action: "type", params: { text: part }, repeat });
      }
    }
    void this.#work();
  }

  paste(text: string): void {
    for (const part of parts(text)) this.#push({ action: "type", params: { text: part }, repeat: false, pasted: true });
  }

  /** Drops what waits of pastes. Returns how many characters that is. */
  cancelPaste(): number {
    const pasted = this.#waiting.filter((input) => input.pasted);
    this.#waiting = this.#waiting.filter((input) => !input.pasted);
    return pasted.reduce((sum, input) => sum + (input.action === "type" ? [...input.params.text].length : 0), 0);
  }

  /** @param repeat whether a key that is held down presses it again */
  key(key: string, repeat = false): void {
    if (repeat && this.#waiting.length > 0) return;
    this.#push({ action: "key", params: { key }, repeat });
  }

  click(click: Click): void {
    this.#push({ action: "click", click, repeat: false });
  }

  drag(params: Actions["drag"]): void {
    this.#push({ action: "drag", params, repeat: false });
  }

  scroll(params: Actions["scroll"]): void {
    const last = this.#waiting.at(-1);
    if (last?.action === "scroll" && last.params.direction === params.direction) {
      last.params = { ...params, amount: Math.min(last.params.amount + params.amount, MOST_NOTCHES) };
    } else {
      this.#push({ action: "scroll", params, repeat: false });
    }
  }

  /** No key is held down any more: drops the repeats that wait. */
  release(): void {
    this.#waiting = this.#waiting.filter(({ repeat }) => !repeat);
  }

  /** Forgets what was not sent. */
  clear(): void {
    this.#waiting = [];
  }

  #push(input: Input): void {
    this.#waiting.push(input);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let input = this.#waiting.shift(); input !== undefined; input = this.#waiting.shift()) {
      try {
        await this.#send(input);
        this.#options.sent();
      } catch (error) {
        if (!this.#options.failed(error)) this.clear();
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
   * Two clicks in quick succession are a double click on the computer too, if they arrive so. When the way there is
   * too slow for that, the second one goes as a double click of its own.
   */
  async #click({ x, y, button, second }: Click): Promise<void> {
    const now = this.#options.now?.() ?? performance.now();
    const late = second && now - this.#firstClickAt > DOUBLE_CLICK;
    this.#firstClickAt = now;
    await this.#options.send("click", { x, y, button, ...(late && { double: true }) });
  }
}

/** Pieces of a text that are short enough for one call, none of which ends in the middle of a character. */
function parts(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of text) {
    if (piece.length + character.length > LONGEST_TEXT) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}
