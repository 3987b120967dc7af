import type { WebElement } from "../ambient.js";
import type { BindingChannel } from "../binding.js";
import { Deadline, follow } from "../deadline.js";
import { BindingError, convertErrors, invalidParameter, responseTooLarge } from "../errors.js";
import type { ScreenItem, ScreenRect } from "../generated/channels.js";
import { checkArgument, checkFields, checks, checkWaitOptions, jsonParameters, oneOf, type WaitOptions } from "../options.js";
import type { ScreenRefusal } from "../types.js";
import { Channel, type ChannelEvents, channelClosed } from "./channel.js";
import { checkText } from "./input.js";

/** The events of a screen. */
export interface ScreenEvents extends ChannelEvents {
  /** The screen has reconnected. The whole screen follows, and everything that was held is released. */
  reconnected: [];
  /** The screen has a new size. */
  resized: [size: ScreenSize];
  /** The pointer has a new shape. */
  cursor: [cursor: ScreenCursor];
  /** A program rang the bell. */
  bell: [];
}

/** The size of a screen, in pixels. */
export interface ScreenSize {
  width: number;
  height: number;
}

/** The shape of the pointer. */
export interface ScreenCursor extends ScreenSize {
  /** The position of the pixel that points. */
  x: number;
  y: number;
  /** The pixels: red, green, blue, alpha; row by row. Empty if the pointer is hidden or part of the screen. */
  pixels: Uint8Array;
}

/** The changes of a screen since the previous item. */
export interface ScreenDamage {
  /** Rectangles that contain every changed pixel. */
  rects: ScreenRect[];
}

/** The options of a screen. */
export interface ScreenParams {
  /** Whether the channel only shows the screen: input is refused. Default: `false`. */
  view_only?: boolean;
  /**
   * Lets the server compress photographic parts with JPEG, with a quality from 0 to 9. It saves bandwidth while a video plays, but
   * pixels are no longer exact. Only in Node. Default: none, every pixel is exact.
   */
  quality?: number;
}

/** An image of a screen. */
export interface ScreenImage extends ScreenSize {
  format: "png" | "jpeg" | "rgba";
  /** A PNG or JPEG file, or four bytes for each pixel (red, green, blue, alpha), row by row. */
  data: Uint8Array;
}

/** What an image of a screen contains. */
export interface ScreenImageParams {
  /** A part of the screen. What is outside the screen is omitted. Default: the whole screen. */
  region?: ScreenRect;
  /** The size of the image relative to the size of the region, above 0 and at most 1. Default: 1. */
  scale?: number;
  /** `png` and `rgba` are exact, `jpeg` is smaller. Default: `png`. */
  format?: "png" | "jpeg" | "rgba";
  /**
   * Whether to draw the pointer where this channel has moved it. Without this option, the image has no pointer, unless the server
   * has drawn it into the screen: see {@link Screen}. Default: `false`.
   */
  pointer?: boolean;
}

/** A button of the pointer. Not every server knows `back` and `forward`. */
export type ScreenButton = "left" | "middle" | "right" | "back" | "forward";

/** A pixel of the screen. */
export interface ScreenPoint {
  x: number;
  y: number;
}

/** Where and how to press a button. Without a position, the pointer stays where this channel has moved it. */
export interface ScreenButtonParams extends Partial<ScreenPoint> {
  /** Default: `left`. */
  button?: ScreenButton;
}

/** Where and how to click. */
export interface ScreenClickParams extends ScreenButtonParams {
  /** The number of clicks. Default: 1. */
  count?: number;
  /** The names of keys that are held during the click, such as `ctrl`. */
  modifiers?: string[];
}

/** The path of a drag. */
export interface ScreenDragParams {
  /** The points, at least two. The button is pressed at the first point and released at the last point. */
  path: ScreenPoint[];
  /** Default: `left`. */
  button?: ScreenButton;
}

/** How to turn the wheel. */
export interface ScreenWheelParams extends Partial<ScreenPoint> {
  /** The number of steps to the right, from -100 to 100. Default: 0. */
  dx?: number;
  /** The number of steps down, from -100 to 100. Default: 0. */
  dy?: number;
}

/** How to use a key. */
export interface ScreenKeyParams {
  /**
   * `press` presses and releases the key, `down` presses it, and `up` releases it. `hold` presses it and repeats it, as a keyboard
   * does, until it is released or another key is used. Of a combination, the last key repeats. Default: `press`.
   */
  action?: "press" | "down" | "hold" | "up";
}

/** The values of {@link AttachOptions.scale}. */
export const SCALE = oneOf("fit", "1:1");

/** How a page shows a screen. */
export interface AttachOptions {
  /**
   * `fit` scales the screen to the size of the element. `1:1` shows each pixel of the screen as one pixel of the display; the
   * user can scroll a larger screen, on a touch screen with two fingers. Default: `fit`.
   */
  scale?: "fit" | "1:1";
  /** Whether the view passes the input of the user. {@link ScreenView.input} changes it later. Default: `true`. */
  input?: boolean;
  /** Whether the view never passes input: it is an image, and not part of the tab order. Default: `false`. */
  viewOnly?: boolean;
  /** The pointer over the view: the shape on the computer, the usual arrow, or none. Default: `remote`. */
  cursor?: "remote" | "local" | "none";
  /** The name of the view for screen readers. Default: `The screen of the computer`. */
  label?: string;
  /**
   * Types text with characters that have no key, such as the result of an input method: for example a call of your server, which
   * calls `computer.type`. Default: the characters are sent as keysyms, of which some servers accept only a small number.
   */
  type?: (text: string) => void;
}

/** A screen in an element of a page. */
export interface ScreenView {
  /** How the screen is scaled. */
  scale: "fit" | "1:1";
  /** Whether the view passes the input of the user. Everything that the view holds is released when it is set to `false`. */
  input: boolean;
  /** Moves the focus to the view, which then receives the keys. Control, Alt and Shift, pressed together, move the focus out. */
  focus(): void;
  /** Removes the view from the page. The channel stays open. */
  detach(): void;
}

/** When a screen counts as settled. */
export interface SettledOptions extends WaitOptions {
  /** The time without a change, in milliseconds. Default: 500. */
  quiet?: number;
  /** Changes inside these parts of the screen do not count, for example a clock or a blinking caret. */
  ignore?: ScreenRect[];
}

/** The text, or that it is too long. */
type ClipboardAnswer = { text: string } | "too long";

/** The longest text of the clipboard, in bytes. */
const MAX_TEXT = 1 << 20;

/** The default time limit for the text of the clipboard: some programs that own it never respond. In milliseconds. */
const CLIPBOARD_TIMEOUT = 10_000;

/** The largest number of unread rectangles. Above it, one rectangle contains them. */
const MAX_RECTS = 256;

/** The core checks the points. A list that is much longer exceeds the limit of a command, so its length is checked here. */
const PATH = {
  accepts: (value: unknown) => !Array.isArray(value) || value.length <= 1_000,
  expected: "a list of 2 to 1000 points",
};

const CONTAINER = {
  // Not `instanceof`, because the element may be of another realm. A document and a fragment cannot contain a view.
  accepts: (value: unknown) => {
    const { nodeType, localName } = (value ?? {}) as { nodeType?: unknown; localName?: unknown };
    return nodeType === 1 && !/^(?:audio|canvas|iframe|img|input|object|select|svg|textarea|video)$/.test(String(localName));
  },
  expected: "an element of the page that shows its content, such as a div",
};

const POINT = { x: checks.any, y: checks.any };
const BUTTON = { ...POINT, button: checks.any };

/**
 * The live screen of a computer. The content is kept up to date in the memory of this process, so that an image or the wait for a
 * change needs no call of the API. Iterate over the screen to read its changes.
 *
 * The methods for input return `true` if the input is accepted. Accepted input arrives at most once and in order. They return
 * `false` if it is not sent: {@link refusal} is the reason. Everything that is held (`down`, `key` with `down`) is released when
 * the channel closes or reconnects.
 *
 * The pointer is not part of the screen while this channel was the last to move it. When another client or a call of the API moves
 * the pointer, some servers draw it into the screen, until this channel moves it again.
 */
export class Screen extends Channel<ScreenItem, ScreenDamage, ScreenEvents> {
  readonly #binding: BindingChannel<ScreenItem>;
  #rects: ScreenRect[] = [];
  #watchers = new Set<(rects: readonly ScreenRect[]) => void>();
  #images = new Map<number, ScreenImage>();
  #wanted = new Set<number>();
  #nextImage = 1;
  /** The calls that wait for the text of the clipboard. They share one request. */
  #reads = new Set<(answer: ClipboardAnswer) => void>();

  /** @internal */
  constructor(binding: BindingChannel<ScreenItem>) {
    super("screen", ["reconnected", "resized", "cursor", "bell"], binding);
    this.#binding = binding;
  }

  /** The current size in pixels. */
  get size(): ScreenSize {
    return this.#binding.command("size") as ScreenSize;
  }

  /** Where this channel has moved the pointer, or `undefined` if it has not moved it. Others may have moved it since. */
  get pointer(): ScreenPoint | undefined {
    return (this.#binding.command("pointer") as ScreenPoint | null) ?? undefined;
  }

  /** The reason why input would be refused now, or `undefined` if it would be accepted. */
  get refusal(): ScreenRefusal | undefined {
    return (this.#binding.command("refusal") as ScreenRefusal | null) ?? undefined;
  }

  /**
   * Takes an image of the current content, without a call of the API. Waits for the whole screen right after a connect, while the
   * channel reconnects, and while the server does not respond (`unstable`).
   *
   * @throws InvalidParameterError; TimeoutError; AbortError; ChannelClosedError after the channel has closed.
   */
  async screenshot(params: ScreenImageParams = {}, options: WaitOptions = {}): Promise<ScreenImage> {
    const operation = "screen.screenshot";
    checkOwnFields(operation, params, {
      region: checks.object,
      scale: checks.any,
      format: checks.any,
      pointer: checks.any,
    });
    checkWaitOptions(operation, options);
    const deadline = new Deadline(operation, options.timeout, options.signal);
    deadline.throwIfAborted();
    this.#checkOpen(operation);
    const id = this.#nextImage++;
    const { format, ...plain } = jsonParameters(operation, params);
    convertErrors(() => this.#binding.command("screenshot", { ...plain, format: format ?? "png", id }));
    this.#wanted.add(id);
    try {
      return await this.#until(operation, deadline, "the screen did not arrive", () => this.#images.get(id));
    } finally {
      this.#wanted.delete(id);
      this.#images.delete(id);
    }
  }

  /** Iterates over the changes, like the screen itself. */
  damage(): AsyncGenerator<ScreenDamage, void, undefined> {
    return this[Symbol.asyncIterator]();
  }

  /**
   * Waits until the screen has not changed for some time. A connection that does not respond does not count as quiet.
   *
   * @throws InvalidParameterError; TimeoutError; AbortError; ChannelClosedError if the channel closes.
   */
  async settled(options: SettledOptions = {}): Promise<void> {
    const operation = "screen.settled";
    const list = { accepts: (value: unknown) => Array.isArray(value) && value.every(isRect), expected: "a list of rectangles" };
    checkWaitOptions(operation, options, { quiet: checks.milliseconds, ignore: list });
    const { quiet = 500, ignore = [], timeout, signal } = options;
    const deadline = new Deadline(operation, timeout, signal);
    deadline.throwIfAborted();
    let last = performance.now();
    const watch = (rects: readonly ScreenRect[]) => {
      if (!rects.every((rect) => ignore.some((ignored) => contains(ignored, rect)))) last = performance.now();
    };
    this.#watchers.add(watch);
    try {
      const settles = () => {
        if (this.state.status !== "open") last = performance.now();
        return performance.now() - last >= quiet || undefined;
      };
      const remaining = () => Math.ceil(quiet - (performance.now() - last));
      await this.#until(operation, deadline, "the screen did not settle", settles, remaining);
    } finally {
      this.#watchers.delete(watch);
    }
  }

  /** Moves the pointer to a pixel. A move that has not been sent yet is replaced by the next one. */
  move(point: ScreenPoint): boolean {
    return this.#input("move", point, POINT);
  }

  /** Presses and holds a button. */
  down(params: ScreenButtonParams = {}): boolean {
    return this.#input("down", params, BUTTON);
  }

  /** Releases a button. */
  up(params: ScreenButtonParams = {}): boolean {
    return this.#input("up", params, BUTTON);
  }

  /** Clicks once or several times. */
  click(params: ScreenClickParams = {}): boolean {
    return this.#input("click", params, { ...BUTTON, count: checks.any, modifiers: checks.any });
  }

  /** Presses a button at the first point, moves along the other points, and releases the button. */
  drag(params: ScreenDragParams): boolean {
    return this.#input("drag", params, { path: PATH, button: checks.any });
  }

  /** Turns the wheel. */
  wheel(params: ScreenWheelParams): boolean {
    return this.#input("wheel", params, { ...POINT, dx: checks.any, dy: checks.any });
  }

  /**
   * Uses a key or a combination, such as `Enter`, `a` or `ctrl+c`. A capital letter is pressed together with Shift. The names are the
   * characters of Latin-1, `F1` to `F24`, the modifiers (`ctrl`, `shift`, `alt`, `altgr`, `super`, `Control_R`, `Shift_R`, `Alt_R`,
   * `Super_R`), `Enter`, `KP_Enter`, `Tab`, `Escape`, `Backspace`, `Delete`, `Insert`, `Home`, `End`, `ArrowLeft`, `ArrowUp`, `ArrowRight`,
   * `ArrowDown`, `Page_Up`, `Page_Down`, `Space`, `Plus`, `Minus`, `CapsLock`, `NumLock`, `ScrollLock`, `Menu`, `Print`, `Pause`,
   * `Find` and `Help`. {@link Computer.key} knows more. Text is typed by {@link Computer.type}, which also types characters that have
   * no key.
   *
   * @throws InvalidParameterError for an unknown key.
   */
  key(key: string, params: ScreenKeyParams = {}): boolean {
    checkOwnFields("screen.key", params, { action: checks.any });
    return this.#input("key", { ...params, key }, { key: checks.any, action: checks.any });
  }

  /**
   * Shows the screen in an element of a page, and passes the input of the user to the computer. A screen may have several views.
   *
   * @param element An element that shows its content, such as a `div`. The view fills it. Give it a width; without a height it has
   *   that of the screen.
   * @throws InvalidParameterError for an invalid option; BindingError outside a page; ChannelClosedError after the channel has
   *   closed.
   */
  attach(element: WebElement, options: AttachOptions = {}): ScreenView {
    const operation = "screen.attach";
    checkArgument(operation, "element", element, CONTAINER);
    checkFields(operation, "options", options, {
      scale: SCALE,
      input: checks.boolean,
      viewOnly: checks.boolean,
      cursor: oneOf("remote", "local", "none"),
      label: checks.string,
      type: checks.function,
    });
    this.#checkOpen(operation);
    const view = this.#binding.attach?.(element, options);
    if (view === undefined) {
      throw new BindingError({ kind: "binding", message: `${operation}: only a page has elements`, delivered: "no" });
    }
    return view;
  }

  /** Releases everything that this channel holds. */
  release(): void {
    this.#binding.command("release");
  }

  /**
   * Requests another size. A server that does not permit it sends an error message, see the event `error`.
   *
   * @throws InvalidParameterError for an invalid size, and if the server does not support other sizes.
   */
  resize(width: number, height: number): boolean {
    return this.#input("resize", { width, height }, { width: checks.any, height: checks.any });
  }

  /** The clipboard of the computer. Its text is transferred only on request. */
  readonly clipboard = {
    /**
     * Returns the text of the clipboard, of at most 1 MiB. While this channel owns the clipboard, that is the text it wrote. Empty
     * if the server announces no text: nothing or no text was copied, or it was copied before the channel opened or written by
     * another live screen, which some servers (such as Xvnc) do not announce. The default of `timeout` is 10 seconds.
     *
     * @throws ResponseTooLargeError for a longer text; InvalidParameterError; TimeoutError, for example if the program that owns the
     *   clipboard does not respond; AbortError; ChannelClosedError.
     */
    read: async (options: WaitOptions = {}): Promise<string> => {
      const operation = "screen.clipboard.read";
      checkWaitOptions(operation, options);
      const deadline = new Deadline(operation, options.timeout ?? CLIPBOARD_TIMEOUT, options.signal);
      deadline.throwIfAborted();
      let answer: ClipboardAnswer | undefined;
      const read = (received: ClipboardAnswer) => {
        answer = received;
      };
      // A refused request, while the channel reconnects, follows after the reconnect.
      if (this.#reads.size === 0) this.#binding.command("clipboard");
      this.#reads.add(read);
      try {
        const found = await this.#until(operation, deadline, "the text did not arrive", () => answer);
        if (found === "too long") throw responseTooLarge(operation, "the text of the clipboard", MAX_TEXT);
        return found.text;
      } finally {
        this.#reads.delete(read);
      }
    },
    /** Offers a text of at most 1 MiB to the programs of the computer. Returns `false` if the text is refused. */
    write: (text: string): boolean => {
      checkText("screen.clipboard.write", text);
      return convertErrors(() => this.#binding.command("clipboard", text)) === null;
    },
  };

  // Without a parameter, a required field is missing.
  #input(name: string, params: object = {}, known: Parameters<typeof checkFields>[3]): boolean {
    const operation = `screen.${name}`;
    checkOwnFields(operation, params, known);
    const plain = jsonParameters(operation, params);
    return convertErrors(() => this.#binding.command(name, plain)) === null;
  }

  /** Reads items until `find` returns a value. `pause` returns the time after which `find` is called again, in milliseconds. */
  async #until<T>(
    operation: string,
    deadline: Deadline,
    missing: string,
    find: () => T | undefined,
    pause?: () => number,
  ): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      const next = (resolve: (more: boolean) => void, reject: (error: unknown) => void) => {
        const unfollow = follow(this.pull(), resolve, reject);
        const timer = pause && setTimeout(resolve, pause(), true);
        return () => {
          unfollow();
          // A timer would keep the process running.
          clearTimeout(timer);
        };
      };
      if (await deadline.promise(next, missing)) continue;
      const state = this.state;
      if (state.status !== "closed") throw deadline.timeoutError(missing, "no");
      throw this.failure() ?? channelClosed(state.cause, operation);
    }
  }

  #checkOpen(operation: string): void {
    const state = this.state;
    if (state.status === "closed") throw channelClosed(state.cause, operation);
  }

  #answerReads(answer: ClipboardAnswer): void {
    for (const read of this.#reads) read(answer);
    this.#reads.clear();
  }

  protected override accept(item: ScreenItem): void {
    switch (item.type) {
      case "damage":
        this.#rects.push(...item.rects);
        if (this.#rects.length > MAX_RECTS) this.#rects = [this.#rects.reduce(around)];
        for (const watch of this.#watchers) watch(item.rects);
        break;
      case "image": {
        const { id, width, height, format, data } = item;
        if (this.#wanted.has(id)) this.#images.set(id, { width, height, format, data });
        break;
      }
      case "clipboard":
        this.#answerReads({ text: item.text });
        break;
      case "clipboard_too_long":
        this.#answerReads("too long");
        break;
      case "resized":
        this.emit("resized", { width: item.width, height: item.height });
        break;
      case "cursor": {
        const { x, y, width, height, pixels } = item;
        this.emit("cursor", { x, y, width, height, pixels });
        break;
      }
      case "reconnected":
        // The request was lost with the previous connection.
        if (this.#reads.size > 0) this.#binding.command("clipboard");
        this.emit("reconnected");
        break;
      case "bell":
        this.emit("bell");
        break;
      case "error":
        this.emit("error", item.message);
    }
  }

  protected override take(): ScreenDamage | undefined {
    return this.#rects.length === 0 ? undefined : { rects: this.#rects.splice(0) };
  }
}

/** Checks parameters. Refuses inherited ones, such as the position of a `DOMPoint`, because they would be ignored. */
function checkOwnFields(operation: string, params: object, known: Parameters<typeof checkFields>[3]): void {
  checkFields(operation, "params", params, known);
  for (const name of Object.keys(known)) {
    if (name in params && !Object.hasOwn(params, name)) {
      throw invalidParameter(operation, name, "must be a property of the object itself, not an inherited one");
    }
  }
}

function isRect(value: unknown): value is ScreenRect {
  const { x, y, width, height } = (value ?? {}) as Record<string, unknown>;
  return [x, y, width, height].every(Number.isFinite);
}

function contains(outer: ScreenRect, inner: ScreenRect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function around(a: ScreenRect, b: ScreenRect): ScreenRect {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  const width = Math.max(a.x + a.width, b.x + b.width) - x;
  const height = Math.max(a.y + a.height, b.y + b.height) - y;
  return { x, y, width, height };
}
