// The page's side of a screen: it exchanges messages with the host.

import type { WebElement } from "../ambient.js";
import type { Log } from "../binding.js";
import { RemoteChannel, type ToSession } from "../channel/remote.js";
import type { AttachOptions, ScreenView } from "../channel/screen.js";
import type { Counters, ScreenItem } from "../generated/channels.js";
import type { ScreenMirror } from "./glue.js";
import type { Cursor, FromHost, ToHost } from "./messages.js";
import { View } from "./view.js";
import type { Size } from "./wheel.js";

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
  resized(size: Size): void;
  cursor(cursor: Cursor): void;
}

/** A screen whose host exchanges messages. A mirror of the session checks commands, because they return before the host executes them. */
export class RemoteScreen extends RemoteChannel<ScreenItem> {
  readonly #port: Port;
  readonly #mirror: ScreenMirror;
  readonly #views = new Map<number, ViewListener>();
  #nextView = 1;
  #size: Size = { width: 0, height: 0 };
  #cursor: Cursor | undefined;
  #failed = false;
  /** Whether the page waits for newer counters. */
  #requestedCounters = false;

  /** Waits until the host has opened the screen. Rejects with the error of the binding for an invalid target or option. */
  static open(port: Port, mirror: ScreenMirror, log: Log | undefined): Promise<RemoteScreen> {
    return new RemoteScreen(port, mirror, log).opened();
  }

  private constructor(port: Port, mirror: ScreenMirror, log: Log | undefined) {
    super(log);
    this.#port = port;
    this.#mirror = mirror;
    port.onmessage = (message) => this.#receive(message);
    port.onerror = (message) => this.#receive({ type: "failed", error: new Error(message) });
  }

  protected send(message: ToSession): void {
    this.#port.send(message);
  }

  command(name: string, argument?: unknown): unknown {
    // The host encodes images, so the module knows only the format of pixels.
    const isEncoded = name === "screenshot" && /^(?:png|jpeg)$/.test((argument as { format: string }).format);
    const result = this.#mirror.check(name, isEncoded ? { ...(argument as object), format: "rgba" } : argument);
    if (result !== null) return result;
    // A failed host sends no outline, so the mirror does not know that the screen is closed.
    if (this.#failed) return name === "pointer" ? null : "disconnected";
    this.#port.send({ type: "command", name, argument: cloneable(argument) });
    return null;
  }

  /** Returns the last counters that the host has sent, and requests newer ones. */
  override counters(): Counters {
    if (!this.#requestedCounters && this.state().status !== "closed") {
      this.#requestedCounters = true;
      this.#port.send({ type: "counters" });
    }
    const counters = super.counters();
    return { ...counters, refused: counters.refused + this.#mirror.refused() };
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
    listener.resized(this.#size);
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
    if ("counters" in message) this.#requestedCounters = false;
    switch (message.type) {
      case "outline": {
        const [width = 0, height = 0] = message.outline;
        this.#size = { width, height };
        this.#mirror.follow(...message.outline);
        for (const view of this.#views.values()) view.resized(this.#size);
        break;
      }
      case "cursor":
        this.#cursor = message.cursor;
        for (const view of this.#views.values()) view.cursor(message.cursor);
        break;
      case "items":
        for (const { type } of message.items ?? []) if (type === "image") this.#mirror.imageArrived();
    }
    // A worker ends itself after the end of the screen.
    if (this.receive(message) !== "failed") return;
    this.#failed = true;
    this.#port.end();
  }
}

/**
 * Copies the nested values of an argument that the mirror has accepted, so they are plain data. A worker cannot receive the proxies of a
 * framework.
 */
function cloneable(argument: unknown): unknown {
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  return isObject(argument) && Object.values(argument as object).some(isObject) ? JSON.parse(JSON.stringify(argument)) : argument;
}
