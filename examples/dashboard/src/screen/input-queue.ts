import type { ActionName, Actions } from "../api/client.js";

/** A click, which may be the second one of a double click. */
export interface Click {
  x: number;
  y: number;
  button: "left" | "right";
  second: boolean;
}

type Input =
  | { [Name in Exclude<ActionName, "click">]: { action: Name; params: Actions[Name] } }[Exclude<ActionName, "click">]
  | { action: "click"; click: Click };

/** How much text goes in one call, in UTF-16 units: a computer types it key by key, and a click should not wait for long. */
const LONGEST_TEXT = 200;
/** The longest time between two clicks that desktops take for a double click, with a margin, in milliseconds. */
const DOUBLE_CLICK = 350;

export interface QueueOptions {
  send<Name extends ActionName>(action: Name, params: Actions[Name]): Promise<void>;
  /** Called after each input that arrived. */
  sent(): void;
  /** An input failed. Those behind it are not sent, since they were meant to follow it. */
  failed(error: unknown): void;
  /** Milliseconds of a clock that never goes back. Default: the page's. */
  now?: () => number;
}

/** Sends inputs one after the other, since the order of keys and clicks matters, and joins those that wait and fit. */
export class InputQueue {
  readonly #options: QueueOptions;
  #waiting: Input[] = [];
  #busy = false;
  #firstClickAt = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  type(text: string): void {
    for (const part of parts(text)) {
      const last = this.#waiting.at(-1);
      if (last?.action === "type" && last.params.text.length + part.length <= LONGEST_TEXT) last.params.text += part;
      else this.#waiting.push({ action: "type", params: { text: part } });
    }
    void this.#work();
  }

  key(key: string): void {
    this.#push({ action: "key", params: { key } });
  }

  click(click: Click): void {
    this.#push({ action: "click", click });
  }

  drag(params: Actions["drag"]): void {
    this.#push({ action: "drag", params });
  }

  scroll(params: Actions["scroll"]): void {
    const last = this.#waiting.at(-1);
    if (last?.action === "scroll" && last.params.direction === params.direction) {
      last.params = { ...params, amount: last.params.amount + params.amount };
    } else {
      this.#push({ action: "scroll", params });
    }
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
    try {
      for (let input = this.#waiting.shift(); input !== undefined; input = this.#waiting.shift()) {
        await this.#send(input);
        this.#options.sent();
      }
    } catch (error) {
      this.clear();
      this.#options.failed(error);
    } finally {
      this.#busy = false;
    }
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
