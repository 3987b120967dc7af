// Runs a screen and draws it: in a worker, or in the page if there is no worker.

import type { Log } from "../binding.js";
import type { ChannelState, Counters, ScreenItem } from "../generated/channels.js";
import type { ConnectionGlue, ConnectionName, ScreenConnection, ScreenGlue, ScreenObject } from "./glue.js";
import type { FromHost, ToHost, ViewCanvas } from "./messages.js";
import { Painter } from "./painter.js";

/** The interval at which the page receives the counters while a view is shown, in milliseconds. */
const COUNTERS_INTERVAL = 250;

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
    const { init, moduleMemory, Screen } = this.#screenGlue;
    const { init: initConnection, Client } = this.#connectionGlue(connection.name);
    const post = this.#post;
    try {
      await Promise.all([init({ module_or_path: module }), initConnection({ module_or_path: connection.module })]);
      const log: Log = (level, line) => post({ type: "log", level, line });
      const failure = new Failure();
      const screen = guarded(new Screen(options), failure);
      const channel = new Client(config, log).openScreen(screen, target);
      this.#session = new Session(screen, channel, moduleMemory(), post, failure);
    } catch (error) {
      post({ type: "refused", error });
      return;
    }
    await this.#session.run().catch((error: unknown) => post({ type: "failed", error }));
    this.#onEnd();
  }
}

/** The first failure of a screen. */
class Failure {
  error: Error | undefined;
  report!: (error: Error) => void;
  /** Rejects with the failure. */
  readonly reported = new Promise<never>((_, reject) => {
    this.report = (error) => {
      this.error ??= error;
      reject(this.error);
    };
  });
}

/**
 * Returns the screen with methods that report a failure of the module, such as a trap. The state of the module is unknown after that,
 * so every later call throws the same failure.
 */
function guarded(screen: ScreenObject, failure: Failure): ScreenObject {
  const methods: Record<string, unknown> = {};
  const prototype = Object.getPrototypeOf(screen);
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const method: unknown = prototype[name];
    if (typeof method !== "function" || name === "constructor") continue;
    methods[name] = (...values: unknown[]) => {
      if (failure.error !== undefined) throw failure.error;
      try {
        return method.apply(screen, values);
      } catch (thrown) {
        // The module throws a record, which is not an error, for an invalid argument.
        if (!(thrown instanceof Error)) throw thrown;
        failure.report(new Error(`the module of the screen failed: ${thrown.message}`, { cause: thrown }));
        throw failure.error;
      }
    };
  }
  return methods as unknown as ScreenObject;
}

/** An open screen. */
class Session {
  readonly #screen: ScreenObject;
  readonly #channel: ScreenConnection;
  readonly #post: Post;
  readonly #painter: Painter;
  readonly #failure: Failure;
  #outline = "";
  #counters: Counters;
  #countersTimer: ReturnType<typeof setInterval> | undefined;
  #requested = false;
  #closed = false;
  #paused = false;
  /** The format of each requested image that the module does not encode. */
  readonly #formats = new Map<number, string>();
  #wake = () => {};

  constructor(screen: ScreenObject, channel: ScreenConnection, memory: WebAssembly.Memory, post: Post, failure: Failure) {
    this.#screen = screen;
    this.#channel = channel;
    this.#post = post;
    this.#painter = new Painter(screen, memory, (error) => failure.report(error));
    this.#failure = failure;
    this.#counters = channel.counters();
  }

  /** Runs the screen until it ends. If it fails, closes the connection and rejects. */
  async run(): Promise<void> {
    const tasks = [this.#postStates(), this.#postPasswordRequests(), this.#postItems(), this.#followChanges()];
    try {
      await Promise.race([this.#failure.reported, Promise.all(tasks)]);
    } catch (error) {
      this.#failure.report(error as Error);
      this.#adjust();
      this.#channel.close();
      throw this.#failure.error;
    }
  }

  receive(message: Exclude<ToHost, { type: "open" }>): void {
    if (this.#failure.error !== undefined) return;
    try {
      this.#handle(message);
    } catch (error) {
      this.#failure.report(error as Error);
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
    if (this.#failure.error !== undefined) {
      clearInterval(this.#countersTimer);
      return;
    }
    const paused = this.#painter.isHidden && !this.#requested;
    if (paused !== this.#paused) {
      this.#paused = paused;
      this.#change("pause", paused);
    }
    const counting = this.#painter.hasViews && !this.#painter.isHidden && !this.#closed;
    if (counting) this.#countersTimer ??= setInterval(() => this.#postCounters(), COUNTERS_INTERVAL);
    else {
      clearInterval(this.#countersTimer);
      this.#countersTimer = undefined;
    }
  }

  /** Executes a command that the mirror of the page has accepted. */
  #command(name: string, argument: unknown): void {
    // The screen may have become smaller since then, so that a position is outside.
    try {
      this.#execute(name, argument);
    } catch {}
  }

  #execute(name: string, argument: unknown): void {
    if (name === "screenshot") {
      const { id, format } = argument as { id: number; format: string };
      this.#formats.set(id, format);
      this.#change(name, { ...(argument as object), format: "rgba" });
      return;
    }
    this.#painter.expectUpdate();
    this.#change(name, argument);
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
    const { received_messages, sent_messages } = this.#counters;
    if (counters.received_messages === received_messages && counters.sent_messages === sent_messages) return;
    this.#counters = counters;
    this.#post({ type: "counters", counters });
  }

  /** Encodes an image in the requested format. The browser has an encoder, so the module contains none. */
  async #encode(item: ScreenItem): Promise<ScreenItem> {
    if (item.type !== "image") return item;
    const format = this.#formats.get(item.id);
    this.#formats.delete(item.id);
    if (format !== "png" && format !== "jpeg") return item;
    const { width, height, data } = item;
    const pixels = new ImageData(new Uint8ClampedArray(data.buffer as ArrayBuffer, data.byteOffset, data.length), width, height);
    const file = await encode(pixels, `image/${format}`);
    return { ...item, format, data: new Uint8Array(await file.arrayBuffer()) };
  }
}

/** The quality of JPEG images, as in the addon. */
const JPEG_QUALITY = 0.8;

async function encode(pixels: ImageData, type: string): Promise<Blob> {
  const { width, height } = pixels;
  const canvas: ViewCanvas =
    typeof OffscreenCanvas === "undefined"
      ? Object.assign(document.createElement("canvas"), { width, height })
      : new OffscreenCanvas(width, height);
  const context = (canvas as HTMLCanvasElement).getContext("2d");
  context?.putImageData(pixels, 0, 0);
  if ("convertToBlob" in canvas) return canvas.convertToBlob({ type, quality: JPEG_QUALITY });
  return new Promise((resolve, reject) => {
    const settle = (file: Blob | null) => (file === null ? reject(new Error("the image was not encoded")) : resolve(file));
    canvas.toBlob(settle, type, JPEG_QUALITY);
  });
}
