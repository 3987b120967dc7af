// Runs a screen and draws it: in a worker, or in the page if there is no worker.

import type { Log } from "../binding.js";
import type { ChannelState, Counters, ScreenItem } from "../generated/channels.js";
import type { ScreenChannel, ScreenGlue } from "./glue.js";
import type { FromHost, ToHost, ViewCanvas } from "./messages.js";
import { Painter } from "./painter.js";

/** The interval at which the page receives the counters while a view is shown, in milliseconds. */
const COUNTERS_INTERVAL = 250;

type Post = (message: FromHost, transfer?: Transferable[]) => void;

/** Opens a screen when the page requests it, and connects it to the page. */
export class ScreenHost {
  readonly #glue: ScreenGlue;
  readonly #post: Post;
  readonly #onEnd: () => void;
  #session: Session | undefined;

  constructor(glue: ScreenGlue, post: Post, onEnd: () => void) {
    this.#glue = glue;
    this.#post = post;
    this.#onEnd = onEnd;
  }

  receive(message: ToHost): void {
    if (message.type === "open") void this.#open(message);
    else this.#session?.receive(message);
  }

  async #open({ module, config, target, options }: ToHost & { type: "open" }): Promise<void> {
    const { init, moduleMemory, Client } = this.#glue;
    const post = this.#post;
    try {
      await init({ module_or_path: module });
      const log: Log = (level, line) => post({ type: "log", level, line });
      const channel = new Client(config, log).open("screen", target, options);
      this.#session = new Session(channel, moduleMemory(), post);
    } catch (error) {
      post({ type: "refused", error });
      return;
    }
    await this.#session.run().catch((error: unknown) => post({ type: "failed", error }));
    this.#onEnd();
  }
}

/** An open screen. */
class Session {
  readonly #channel: ScreenChannel;
  readonly #post: Post;
  readonly #painter: Painter;
  #outline = "";
  #counters: Counters;
  #countersTimer: ReturnType<typeof setInterval> | undefined;
  #requested = false;
  #closed = false;
  #paused = false;
  /** The format of each requested image that the module does not encode. */
  readonly #formats = new Map<number, string>();
  #wake = () => {};

  constructor(channel: ScreenChannel, memory: WebAssembly.Memory, post: Post) {
    this.#channel = channel;
    this.#post = post;
    this.#painter = new Painter(channel, memory);
    this.#counters = channel.counters();
  }

  async run(): Promise<void> {
    await Promise.all([this.#postStates(), this.#postPasswordRequests(), this.#postItems(), this.#followChanges()]);
  }

  receive(message: Exclude<ToHost, { type: "open" }>): void {
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
    const paused = this.#painter.isHidden && !this.#requested;
    if (paused !== this.#paused) {
      this.#paused = paused;
      this.#channel.command("pause", paused);
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
    if (name === "image") {
      const { id, format } = argument as { id: number; format: string };
      this.#formats.set(id, format);
      this.#channel.command(name, { ...(argument as object), format: "rgba" });
      return;
    }
    this.#painter.expectUpdate();
    this.#channel.command(name, argument);
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
      while (!this.#requested && !this.#closed) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const items = await this.#channel.next();
      this.#requested = false;
      this.#adjust();
      const encoded = items && (await Promise.all(items.map((item) => this.#encode(item))));
      this.#postOutline();
      const memory = (encoded ?? []).flatMap((item) => (item.type === "image" ? [item.data.buffer as ArrayBuffer] : []));
      this.#post({ type: "items", items: encoded, counters: this.#channel.counters() }, memory);
      if (items === null) break;
    }
  }

  async #followChanges(): Promise<void> {
    do {
      this.#postOutline();
      this.#postCursor();
      this.#painter.update();
    } while (await this.#channel.nextChange());
  }

  #postOutline(): void {
    const outline = this.#channel.outline();
    const text = JSON.stringify(outline);
    if (text === this.#outline) return;
    this.#outline = text;
    this.#post({ type: "outline", outline });
  }

  #postCursor(): void {
    const cursor = this.#channel.pollCursor();
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
