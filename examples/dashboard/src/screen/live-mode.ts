import type { ChannelState, Screen, ScreenView } from "orgo-sdk";
import type { Session } from "../channel/session.js";
import { describeState, hasOldPassword, isDisconnected } from "../channel/state.js";
import { formatSize } from "../files/format.js";
import { byId, element, keepFocus } from "../ui/dom.js";
import type { Hint } from "./hint.js";
import type { ModeListener, Scale, ScreenMode } from "./mode.js";

/** The limits for opening the channel. If they are exceeded, the computer counts as one without a live screen. */
const OPEN = { timeout: 10_000, maxRetries: 2 };
/** The limits for opening the channel again after its connection was lost, for example because the computer restarts. */
const REOPEN = { timeout: 30_000 };
/** The minimum interval between reconnects that {@link LiveMode.retry} starts, in milliseconds. */
const MIN_RETRY_INTERVAL = 1_000;
/** The interval at which the statistics are shown, in milliseconds. */
const STATS_INTERVAL = 1_000;

const LOST = "The connection to the screen was lost.";

/** The messages for rejected input, by reason. */
const REFUSALS: Record<NonNullable<Screen["refusal"]>, string> = {
  disconnected: "the screen is disconnected",
  unstable: "the computer does not respond",
  full: "earlier input is still being sent",
  view_only: "the screen was opened for viewing only",
};

export interface LiveListener extends ModeListener {
  /** The channel could not be opened. */
  onUnavailable(error: unknown): void;
  /** Types text that contains characters which the channel cannot press. */
  type(text: string): void;
}

/** A channel, and its view in an element of the page. */
interface Shown {
  id: string;
  screen: Screen;
  view: ScreenView;
  box: HTMLElement;
}

/** Shows the screen through its live channel, which also passes the input. */
export class LiveMode implements ScreenMode {
  readonly #listener: LiveListener;
  readonly #hint: Hint;
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #holder = byId("screen-live", HTMLDivElement);
  /** The image that the page shows. Its channel may be closed: then its last image stays visible behind the overlay. */
  #shown: Shown | undefined;
  /** The computer to show, until `stop`. */
  #target: { id: string; session: Session } | undefined;
  #run = new AbortController();
  #screen: Screen | undefined;
  #input = true;
  #scale: Scale = "fit";
  /** Whether the connection was lost, so that its recovery is reported. */
  #dropped = false;
  #retriedAt = -Infinity;

  constructor(hint: Hint, listener: LiveListener) {
    this.#hint = hint;
    this.#listener = listener;
    this.#holder.addEventListener("focusin", ({ target }) => {
      listener.onCapture();
      // The keys that leave the view move the focus to its root.
      if (!isField(target) && document.fullscreenElement !== null) void document.exitFullscreen();
    });
    this.#holder.addEventListener("focusout", () => queueMicrotask(() => listener.onCapture()));
    this.#stage.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || this.#screen === undefined || isField(event.target) || isButton(event.target)) return;
      event.preventDefault();
      this.capture();
    });
  }

  get captured(): boolean {
    return this.#holder.contains(document.activeElement) && isField(document.activeElement);
  }

  /** The clipboard of the computer, while the channel is open. */
  get clipboard(): Screen["clipboard"] | undefined {
    return this.#screen?.clipboard;
  }

  start(id: string, session: Session): void {
    this.#end();
    this.clear(id);
    if (this.#target?.id !== id) this.#dropped = false;
    this.#target = { id, session };
    if (this.#dropped) this.#listener.onHidden({ text: LOST, detail: describeState({ status: "connecting" }).text });
    void this.#open(id, session, AbortSignal.any([this.#run.signal, session.ended]));
  }

  stop(): void {
    this.#end();
    this.#target = undefined;
    this.#passInput(false);
  }

  clear(id?: string): void {
    if (this.#shown === undefined || this.#shown.id === id) return;
    remove(this.#shown, this.#stage);
    this.#shown = undefined;
  }

  retry(): void {
    const now = performance.now();
    if (this.#screen === undefined || this.#target === undefined || now - this.#retriedAt < MIN_RETRY_INTERVAL) return;
    const { state } = this.#screen;
    if (!isDisconnected(state) && !isUnreachable(state)) return;
    this.#retriedAt = now;
    this.start(this.#target.id, this.#target.session);
  }

  setInput(enabled: boolean): void {
    this.#input = enabled;
    if (this.#screen !== undefined) this.#passInput(enabled);
  }

  setScale(scale: Scale): void {
    this.#scale = scale;
    if (this.#shown !== undefined) this.#shown.view.scale = scale;
  }

  key(name: string): void {
    if (this.#screen?.key(name) === false) {
      this.#hint.show(`Not sent: ${REFUSALS[this.#screen.refusal ?? "disconnected"]}.`);
    }
  }

  capture(): void {
    if (this.#screen !== undefined) this.#shown?.view.focus();
  }

  #passInput(enabled: boolean): void {
    const view = this.#shown?.view;
    if (view === undefined) return;
    const change = () => {
      view.input = enabled;
    };
    // The view disables the element with the focus.
    keepFocus(this.#holder, change, () => this.#stage);
  }

  #end(): void {
    this.#run.abort();
    this.#run = new AbortController();
    this.#screen = undefined;
  }

  async #open(id: string, session: Session, signal: AbortSignal): Promise<void> {
    let shown: Shown | undefined;
    try {
      const computer = await session.connect();
      const screen = await computer.screen({}, { ...(this.#dropped ? REOPEN : OPEN), signal });
      signal.addEventListener("abort", () => void screen.close());
      if (signal.aborted) return void screen.close();
      const box = element("div", { class: "live-view" });
      this.#holder.append(box);
      const { scale, input } = { scale: this.#scale, input: this.#input };
      const type = (text: string) => this.#listener.type(text);
      shown = { id, screen, box, view: screen.attach(box, { scale, input, label: "The computer's screen", type }) };
      // The first item means that the whole screen has arrived.
      await screen.read({ signal, timeout: OPEN.timeout });
      this.#use(shown, signal);
    } catch (error) {
      if (shown !== undefined) remove(shown, this.#stage);
      if (!signal.aborted) this.#listener.onUnavailable(error);
    }
  }

  #use(shown: Shown, signal: AbortSignal): void {
    const { screen, view, box, id } = shown;
    const hadFocus = this.captured;
    box.toggleAttribute("data-shown", true);
    if (this.#shown !== undefined) remove(this.#shown, this.#stage);
    [this.#shown, this.#screen] = [shown, screen];
    // The user may have changed them while the channel was opening.
    [view.scale, view.input] = [this.#scale, this.#input];
    if (hadFocus) view.focus();
    screen.on("state", (state) => !signal.aborted && this.#follow(state, id));
    this.#follow(screen.state, id);
    this.#watch(screen, signal);
  }

  #follow(state: ChannelState, id: string): void {
    const { text } = describeState(state);
    switch (state.status) {
      case "open":
        this.#listener.onShown();
        if (this.#dropped) this.#hint.show("The connection to the screen was restored.");
        this.#dropped = false;
        return;
      case "unstable":
        this.#hint.show(text);
        return;
      case "connecting":
      case "reconnecting":
        this.#dropped = true;
        this.#listener.onHidden({ text: LOST, detail: text });
        break;
      case "closed": {
        this.#dropped = true;
        const again = () => this.#target !== undefined && this.start(this.#target.id, this.#target.session);
        if (hasOldPassword(state.cause) && this.#target?.id === id) return void again();
        this.#listener.onHidden({ text: "The live screen has ended.", detail: text, action: { label: "Reconnect", run: again } });
      }
    }
    this.#listener.onSuspectedOutage();
  }

  /** Reports the statistics and the size of the screen until the signal is aborted. */
  #watch(screen: Screen, signal: AbortSignal): void {
    let [last, at] = [screen.counters, performance.now()];
    this.#listener.onSize(screen.size);
    const timer = setInterval(() => {
      const { counters, size, state } = screen;
      if (state.status !== "open") return;
      const now = performance.now();
      const each = (from: number, to: number) => ((to - from) * 1_000) / (now - at);
      this.#listener.onStats({
        rate: `${Math.round(each(last.received, counters.received))} fps`,
        detail: `${formatSize(each(last.received_bytes, counters.received_bytes))}/s`,
      });
      [last, at] = [counters, now];
      this.#listener.onSize(size);
    }, STATS_INTERVAL);
    signal.addEventListener("abort", () => clearInterval(timer));
  }
}

/** Removes a view and closes its channel. */
function remove({ screen, view, box }: Shown, stage: HTMLElement): void {
  keepFocus(
    box,
    () => {
      view.detach();
      box.remove();
    },
    () => stage,
  );
  void screen.close();
}

const isField = (target: unknown) => target instanceof HTMLTextAreaElement;
const isButton = (target: unknown) => target instanceof HTMLButtonElement;

/** Returns whether a channel has ended because the computer could not be reached. */
function isUnreachable(state: ChannelState): boolean {
  return state.status === "closed" && state.cause.reason === "unreachable";
}
