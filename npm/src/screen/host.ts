// Runs a screen and draws it: in a worker, or in the page if there is no worker.

import type { Log } from "../binding.js";
import type { ChannelState, ScreenItem } from "../generated/channels.js";
import type { ConnectionGlue, ConnectionName, ScreenConnection, ScreenGlue, ScreenObject } from "./glue.js";
import type { FromHost, ToHost } from "./messages.js";
import { Painter } from "./painter.js";

/**
 * The interval at which the page receives the counters while a view is shown, in milliseconds. The page requests them when a program
 * reads them: a message takes more of the page's time than several frames.
 */
const COUNTERS_INTERVAL = 10_000;

type Format = (ScreenItem & { type: "image" })["format"];
type Post = (message: FromHost, transfer?: Transferable[]) => void;

/** Opens a screen when the page requests it, and connects it to the page. */
export class ScreenHost {
  readonly #screenGlue: ScreenGlue;
  readonly #connectionGlue: (name: ConnectionName) => ConnectionGlue;
  readonly #post: Post;
  readonly #onEnd: () => void;
  #session: Session | undefined;

  constructor(screen: ScreenGlue, connection: (name: ConnectionName) => ConnectionGlue, post: Post, onEnd: () => void) {
    this.#screenGlue = screen;
    this.#connectionGlue = connection;
    this.#post = post;
    this.#onEnd = onEnd;
  }

  receive(message: ToHost): void {
    if (message.type === "open") void this.#open(message);
    else this.#session?.receive(message);
  }

  async #open({ screen: module, connection, config, target, options }: ToHost & { type: "open" }): Promise<void> {
    const { init, Screen } = this.#screenGlue;
    const { init: initConnection, Client } = this.#connectionGlue(connection.name);
    const post = this.#post;
    try {
      const [memory] = await Promise.all([
        init({ module_or_path: module }),
        initConnection({ module_or_path: connection.module }),
      ]);
      const log: Log = (level, line) => post({ type: "log", level, line });
      const failure = new AbortController();
      const screen = guarded(new Screen(options), failure);
      const channel = new Client(config, log).openScreen(screen, target);
      this.#session = new Session(screen, channel, memory, post, failure);
    } catch (error) {
      post({ type: "refused", error });
      return;
    }
    await this.#session.run().catch((error: unknown) => post({ type: "failed", error }));
    this.#onEnd();
  }
}

/**
 * Returns the screen with methods that report a failure of the module, such as a trap: they abort `failure` with it. The state of the
 * module is unknown after that, so every later call throws the same failure.
 */
function guarded(screen: ScreenObject, failure: AbortController): ScreenObject {
  return new Proxy(screen, {
    get:
      (_, name: keyof ScreenObject) =>
      (...values: unknown[]) => {
        failure.signal.throwIfAborted();
        try {
          return (screen[name] as (...values: unknown[]) => unknown)(...values);
        } catch (thrown) {
          // The module throws a record, which is not an error, for an invalid argument.
          if (thrown instanceof Error) failure.abort(new Error(`the screen failed: ${thrown.message}`, { cause: thrown }));
          throw failure.signal.reason ?? thrown;
        }
      },
  });
}

/** An open screen. */
class Session {
  readonly #screen: ScreenObject;
  readonly #channel: ScreenConnection;
  readonly #post: Post;
  readonly #painter: Painter;
  /** Aborted with the first failure. */
  readonly #failure: AbortController;
  #outline = "";
  #counters = "";
  #countersTimer: ReturnType<typeof setInterval> | undefined;
  #requested = false;
  #closed = false;
  #paused = false;
  /** The format of each requested image. The mirror of the page has checked it. */
  readonly #formats = new Map<number, Format>();
  #wake = () => {};

  constructor(screen: ScreenObject, channel: ScreenConnection, memory: WebAssembly.Memory, post: Post, failure: AbortController) {
    this.#screen = screen;
    this.#channel = channel;
    this.#post = post;
    this.#painter = new Painter(screen, memory, (error) => failure.abort(error));
    this.#failure = failure;
  }

  /** Runs the screen until it ends. If it fails, closes the connection and rejects. */
  async run(): Promise<void> {
    const tasks = [this.#postStates(), this.#postPasswordRequests(), this.#postItems(), this.#followChanges()];
    const { signal } = this.#failure;
    const failed = new Promise<never>((_, reject) => {
      signal.onabort = () => reject(signal.reason);
    });
    try {
      await Promise.race([failed, Promise.all(tasks)]);
    } catch (error) {
      this.#failure.abort(error);
      this.#closed = true;
      clearInterval(this.#countersTimer);
      this.#channel.close();
      throw signal.reason;
    }
  }

  receive(message: Exclude<ToHost, { type: "open" }>): void {
    try {
      this.#handle(message);
    } catch (error) {
      this.#failure.abort(error);
    }
  }

  #handle(message: Exclude<ToHost, { type: "open" }>): void {
    switch (message.type) {
      case "next":
        this.#requested = true;
        break;
      case "command":
        this.#command(message.name, message.argument);
        break;
      case "password":
        this.#channel.providePassword(message.target, message.problem as string);
        break;
      case "counters":
        // The page waits for the response before it sends another request.
        this.#post({ type: "counters", counters: this.#channel.counters() });
        return;
      case "show":
        this.#painter.show(message.view, message.canvas);
        this.#postCursor();
        break;
      case "visible":
        this.#painter.setVisible(message.view, message.visible);
        break;
      case "hide":
        this.#painter.hide(message.view);
        break;
      case "close":
        this.#channel.close();
    }
    this.#adjust();
    this.#wake();
  }

  /** Stops the updates while nobody sees or reads them, and reports the counters while a view is shown. */
  #adjust(): void {
    const { hasViews, isVisible } = this.#painter;
    const paused = hasViews && !isVisible && !this.#requested;
    if (paused !== this.#paused) {
      this.#paused = paused;
      this.#change("pause", paused);
    }
    if (isVisible && !this.#closed) this.#countersTimer ??= setInterval(() => this.#postCounters(), COUNTERS_INTERVAL);
    else {
      clearInterval(this.#countersTimer);
      this.#countersTimer = undefined;
    }
  }

  /** Executes a command that the mirror of the page has accepted. */
  #command(name: string, argument: unknown): void {
    if (name === "screenshot") {
      const image = argument as { id: number; format: Format };
      this.#formats.set(image.id, image.format);
      argument = { ...image, format: "rgba" };
    } else {
      this.#painter.expectUpdate();
    }
    // The screen may have become smaller since then, so that a position is outside.
    try {
      this.#change(name, argument);
    } catch {}
  }

  #change(name: string, argument: unknown): void {
    this.#screen.command(name, argument);
    this.#channel.wake();
  }

  async #postStates(): Promise<void> {
    const channel = this.#channel;
    for (let state: ChannelState | null = channel.state(); state !== null; state = await channel.nextState()) {
      this.#postOutline();
      this.#post({ type: "state", state, counters: channel.counters() });
    }
    this.#closed = true;
    this.#adjust();
    this.#wake();
  }

  async #postPasswordRequests(): Promise<void> {
    while (await this.#channel.nextPasswordRequest()) this.#post({ type: "password-request" });
  }

  /** Reads items while the page requests them, and the remaining items after the channel has ended. */
  async #postItems(): Promise<void> {
    for (;;) {
      // The end is read first: an item that arrives before it is still sent.
      const closed = this.#closed;
      const items = this.#requested || closed ? this.#pollItems() : [];
      if (items.length > 0) {
        this.#requested = false;
        this.#adjust();
        const encoded = await Promise.all(items.map((item) => this.#encode(item)));
        this.#postOutline();
        const memory = encoded.flatMap((item) => (item.type === "image" ? [item.data.buffer as ArrayBuffer] : []));
        this.#post({ type: "items", items: encoded, counters: this.#channel.counters() }, memory);
      } else if (closed) {
        this.#post({ type: "items", items: null, counters: this.#channel.counters() });
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #pollItems(): ScreenItem[] {
    const items = [];
    for (let item = this.#screen.pollItem(); item !== undefined; item = this.#screen.pollItem()) items.push(item);
    return items;
  }

  async #followChanges(): Promise<void> {
    do {
      this.#postOutline();
      this.#postCursor();
      this.#painter.update();
      this.#wake();
    } while (await this.#channel.nextChange());
  }

  #postOutline(): void {
    const outline = this.#screen.outline();
    const text = String(outline);
    if (text === this.#outline) return;
    this.#outline = text;
    this.#post({ type: "outline", outline });
  }

  #postCursor(): void {
    const cursor = this.#screen.pollCursor();
    if (cursor !== undefined) this.#post({ type: "cursor", cursor });
  }

  #postCounters(): void {
    const counters = this.#channel.counters();
    const text = JSON.stringify(counters);
    if (text === this.#counters) return;
    this.#counters = text;
    this.#post({ type: "counters", counters });
  }

  /** Encodes an image in the requested format. The browser has an encoder, so the module contains none. */
  async #encode(item: ScreenItem): Promise<ScreenItem> {
    if (item.type !== "image") return item;
    const format = this.#formats.get(item.id) as Format;
    this.#formats.delete(item.id);
    if (format === "rgba") return item;
    const { width, height, data } = item;
    const pixels = new ImageData(new Uint8ClampedArray(data.buffer as ArrayBuffer, data.byteOffset, data.length), width, height);
    const file = await encode(pixels, `image/${format}`);
    return { ...item, format, data: new Uint8Array(await file.arrayBuffer()) };
  }
}

/** The quality of JPEG images, as in the addon. */
const JPEG_QUALITY = 0.8;

// The build of the worker leaves out the function for the page.
const encode = typeof document === "undefined" ? encodeInWorker : encodeInPage;

function encodeInWorker(pixels: ImageData, type: string): Promise<Blob> {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas.convertToBlob({ type, quality: JPEG_QUALITY });
}

function encodeInPage(pixels: ImageData, type: string): Promise<Blob> {
  const { width, height } = pixels;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return new Promise((resolve, reject) => {
    const settle = (file: Blob | null) => (file === null ? reject(new Error("the image was not encoded")) : resolve(file));
    canvas.toBlob(settle, type, JPEG_QUALITY);
  });
}
