import { ChannelClosedError, type DesktopEvent, EVENT_TYPES, type EventStream, type EventType } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { describeState, hasOldPassword, isDisconnected } from "../channel/state.js";
import { byId, element, setState } from "../ui/dom.js";
import { formatTime } from "../ui/time.js";
import { summary } from "./summary.js";

/** The maximum number of events in the list. */
const MAX_EVENTS = 300;
const MIN_RETRY_DELAY = 1_000;
const MAX_RETRY_DELAY = 15_000;

/** Lists the events of the desktop, newest first. */
export class EventsPanel {
  readonly #list = byId("events-list", HTMLOListElement);
  readonly #state = byId("events-state", HTMLParagraphElement);
  readonly #boxes = new Map<string, HTMLInputElement>();
  readonly #onEvent: (event: DesktopEvent) => void;
  #stream: EventStream | undefined;
  /** Ends the delay before the next attempt. */
  #wake: () => void = () => {};

  /** @param onEvent called for every event */
  constructor(onEvent: (event: DesktopEvent) => void) {
    this.#onEvent = onEvent;
    const filters = byId("events-filters", HTMLFieldSetElement);
    for (const type of EVENT_TYPES) {
      const box = element("input", { type: "checkbox", checked: "" });
      box.addEventListener("change", () => this.#filter(type, box.checked));
      this.#boxes.set(type, box);
      filters.append(element("label", {}, box, label(type)));
    }
    const types = byId("events-types", HTMLButtonElement);
    types.addEventListener("click", () => {
      filters.hidden = !filters.hidden;
      types.setAttribute("aria-expanded", String(!filters.hidden));
    });
    byId("events-clear", HTMLButtonElement).addEventListener("click", () => this.#clear());
    this.#clear();
    this.detach();
  }

  attach(session: Session): void {
    this.#clear();
    void this.#keepOpen(session);
  }

  detach(): void {
    void this.#stream?.close();
    this.#stream = undefined;
    setState(this.#state, "Not running", "idle");
  }

  /** Updates the panel. If the service is `reachable`, a disconnected channel reconnects without delay. */
  setReachable(reachable: boolean): void {
    if (!reachable) return;
    const stream = this.#stream;
    if (stream !== undefined && isDisconnected(stream.state)) {
      this.#stream = undefined;
      void stream.close();
    }
    this.#wake();
  }

  /** Reconnects immediately if the channel waits for the next attempt. */
  reconnect(): void {
    if (this.#stream?.state.status === "reconnecting") this.setReachable(true);
  }

  /** Keeps a channel open until the session ends. Replaces a closed channel with a new channel, which gets a new password. */
  async #keepOpen(session: Session): Promise<void> {
    const { ended } = session;
    let lost = false;
    for (let retry = MIN_RETRY_DELAY; !ended.aborted; retry = Math.min(retry * 2, MAX_RETRY_DELAY)) {
      setState(this.#state, "Connecting…", "busy");
      let opened = false;
      try {
        const computer = await session.connect();
        const stream = await computer.events(this.#selectedTypes(), { signal: ended });
        if (ended.aborted) return void stream.close();
        retry = MIN_RETRY_DELAY;
        if (lost) this.#gap("The connection was lost. Some events may be missing here.");
        lost = opened = true;
        await this.#follow(stream, ended);
        // `setReachable` closed the channel to replace it.
        if (this.#stream !== stream) continue;
      } catch (error) {
        if (ended.aborted) return;
        if (opened && error instanceof ChannelClosedError && hasOldPassword(error.cause)) continue;
        const seconds = Math.round(retry / 1000);
        setState(this.#state, `${explain(error).message} Retrying in ${seconds} s…`, "bad");
      }
      if (ended.aborted) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        setTimeout(resolve, retry);
      });
    }
  }

  async #follow(stream: EventStream, ended: AbortSignal): Promise<void> {
    this.#stream = stream;
    const show = () => {
      if (ended.aborted || this.#stream !== stream) return;
      const { text, tone } = describeState(stream.state);
      setState(this.#state, text, tone);
    };
    stream.on("state", show);
    stream.on("error", (message) => !ended.aborted && setState(this.#state, message, "bad"));
    stream.on("gap", (missed) => {
      if (ended.aborted) return;
      this.#gap(missed === undefined ? "Some events may be missing here." : `${missed} events are missing here.`);
    });
    show();
    for await (const event of stream) {
      if (ended.aborted) return;
      this.#add(event);
      this.#onEvent(event);
    }
  }

  #selectedTypes(): EventType[] {
    return EVENT_TYPES.filter((type) => this.#boxes.get(type)?.checked);
  }

  #filter(type: EventType, selected: boolean): void {
    if (selected) this.#stream?.subscribe([type]);
    else this.#stream?.unsubscribe([type]);
    for (const item of this.#list.querySelectorAll<HTMLLIElement>(`[data-type="${type}"]`)) item.hidden = !selected;
  }

  #add(event: DesktopEvent): void {
    const at = new Date(event.timestamp);
    const item = element(
      "li",
      { "data-type": event.type },
      element("time", { datetime: event.timestamp }, Number.isNaN(at.getTime()) ? event.timestamp : formatTime(at)),
      element("p", {}, element("span", { class: "type" }, label(event.type)), " ", summary(event)),
    );
    // The server may have sent the event before it received a filter change.
    item.hidden = this.#boxes.get(event.type)?.checked === false;
    this.#prepend(item);
  }

  #gap(text: string): void {
    const at = new Date();
    this.#prepend(element("li", { class: "gap" }, element("time", {}, formatTime(at)), element("p", {}, text)));
  }

  #prepend(item: HTMLLIElement): void {
    this.#list.querySelector(".empty")?.remove();
    this.#list.prepend(item);
    while (this.#list.childElementCount > MAX_EVENTS) this.#list.lastElementChild?.remove();
  }

  #clear(): void {
    this.#list.replaceChildren(element("li", { class: "empty" }, "No events yet."));
  }
}

function label(type: string): string {
  return type.replaceAll("_", " ");
}
