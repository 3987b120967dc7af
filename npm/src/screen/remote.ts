// The page's side of a screen: it exchanges messages with the host.

import type { WebElement } from "../ambient.js";
import type { BindingChannel, ChannelTarget, Log, PasswordProblem } from "../binding.js";
import type { AttachOptions, ScreenView } from "../channel/screen.js";
import type { ChannelState, Counters, ScreenItem } from "../generated/channels.js";
import type { ScreenMirror } from "./glue.js";
import type { Cursor, FromHost, Outline, ToHost } from "./messages.js";
import { View } from "./view.js";

/** The connection to a host: a worker, or an object of the page. */
export interface Port {
  /** Whether the host is in another thread, so that canvases have to be transferred. */
  readonly remote: boolean;
  onmessage: (message: FromHost) => void;
  onerror: (message: string) => void;
  send(message: ToHost, transfer?: Transferable[]): void;
  end(): void;
}

/** What a view receives. */
export interface ViewListener {
  resized(outline: Outline): void;
  cursor(cursor: Cursor): void;
}

/**
 * Implements the channel of a binding by messages to and from a host. The state and the counters are those of the last message. A
 * mirror of the session checks commands, because they return before the host executes them.
 */
export class RemoteScreen implements BindingChannel<ScreenItem> {
  readonly #port: Port;
  readonly #mirror: ScreenMirror;
  readonly #log: Log | undefined;
  readonly #states: ChannelState[] = [];
  readonly #views = new Map<number, ViewListener>();
  #nextView = 1;
  #state: ChannelState = { status: "connecting" };
  /** Undefined until the host has opened the screen. */
  #counters: Counters | undefined;
  #outline: Outline = { width: 0, height: 0 };
  #cursor: Cursor | undefined;
  #items: ScreenItem[] = [];
  #ended = false;
  /** The number of unanswered password requests. */
  #passwordRequests = 0;
  #failure: { error: unknown } | undefined;
  #wake: (() => void)[] = [];

  /** Waits until the host has opened the screen. Rejects with the error of the binding for an invalid target or option. */
  static async open(port: Port, mirror: ScreenMirror, log: Log | undefined): Promise<RemoteScreen> {
    const screen = new RemoteScreen(port, mirror, log);
    while (screen.#counters === undefined) {
      if (screen.#failure) throw screen.#failure.error;
      await screen.#change();
    }
    return screen;
  }

  private constructor(port: Port, mirror: ScreenMirror, log: Log | undefined) {
    this.#port = port;
    this.#mirror = mirror;
    this.#log = log;
    port.onmessage = (message) => this.#receive(message);
    port.onerror = (message) => this.#receive({ type: "failed", error: new Error(message) });
  }

  async next(): Promise<ScreenItem[] | null> {
    if (this.#items.length === 0 && !this.#ended) this.#port.send({ type: "next" });
    while (this.#items.length === 0) {
      if (this.#failure) throw this.#failure.error;
      if (this.#ended) return null;
      await this.#change();
    }
    return this.#items.splice(0);
  }

  async nextState(): Promise<ChannelState | null> {
    for (;;) {
      const state = this.#states.shift();
      if (state !== undefined) return state;
      if (this.#failure) throw this.#failure.error;
      if (this.#state.status === "closed") return null;
      await this.#change();
    }
  }

  async nextPasswordRequest(): Promise<boolean> {
    while (this.#passwordRequests === 0) {
      if (this.#failure || this.#state.status === "closed") return false;
      await this.#change();
    }
    this.#passwordRequests -= 1;
    return true;
  }

  providePassword(target: ChannelTarget | undefined, problem?: PasswordProblem): void {
    this.#port.send({ type: "password", target, problem });
  }

  /** Resolves with `false`, because a screen does not acknowledge input. */
  async nextProgress(): Promise<boolean> {
    return false;
  }

  command(name: string, argument?: unknown): unknown {
    // The host encodes images, so the module knows only the format of pixels.
    const isEncoded = name === "image" && /^(?:png|jpeg)$/.test((argument as { format: string }).format);
    const result = this.#mirror.check(name, isEncoded ? { ...(argument as object), format: "rgba" } : argument);
    if (result === null) this.#port.send({ type: "command", name, argument });
    return result;
  }

  state(): ChannelState {
    return this.#state;
  }

  counters(): Counters {
    // The first message with counters precedes the end of `open`.
    const counters = this.#counters as Counters;
    return { ...counters, refused: counters.refused + this.#mirror.refused() };
  }

  close(): void {
    this.#port.send({ type: "close" });
  }

  attach(element: WebElement, options: AttachOptions): ScreenView {
    return new View(this, element as unknown as HTMLElement, options);
  }

  /** Draws the screen on a canvas. Returns the number of the view. */
  show(canvas: HTMLCanvasElement, listener: ViewListener): number {
    const view = this.#nextView++;
    this.#views.set(view, listener);
    if (this.#port.remote) {
      const offscreen = canvas.transferControlToOffscreen();
      this.#port.send({ type: "show", view, canvas: offscreen }, [offscreen]);
    } else {
      this.#port.send({ type: "show", view, canvas });
    }
    listener.resized(this.#outline);
    if (this.#cursor !== undefined) listener.cursor(this.#cursor);
    return view;
  }

  setVisible(view: number, visible: boolean): void {
    this.#port.send({ type: "visible", view, visible });
  }

  hide(view: number): void {
    this.#views.delete(view);
    this.#port.send({ type: "hide", view });
  }

  #receive(message: FromHost): void {
    const opened = this.#counters !== undefined;
    if ("counters" in message) this.#counters = message.counters;
    switch (message.type) {
      case "state":
        this.#state = message.state;
        // The first state is that of the new channel, not a change.
        if (opened) this.#states.push(message.state);
        break;
      case "outline":
        this.#outline = message.outline;
        this.#mirror.follow(message.outline);
        for (const view of this.#views.values()) view.resized(message.outline);
        break;
      case "cursor":
        this.#cursor = message.cursor;
        for (const view of this.#views.values()) view.cursor(message.cursor);
        break;
      case "items":
        if (message.items === null) this.#ended = true;
        else this.#items.push(...message.items);
        for (const { type } of message.items ?? []) if (type === "image") this.#mirror.imageArrived();
        break;
      case "log":
        this.#log?.(message.level, message.line);
        break;
      case "password-request":
        this.#passwordRequests += 1;
        break;
      case "refused":
      case "failed":
        this.#failure = message;
    }
    // A worker ends itself after the end of the screen.
    if (this.#failure) this.#port.end();
    for (const resolve of this.#wake.splice(0)) resolve();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}
