import { ChannelClosedError, type DesktopEvent, EVENT_TYPES, type EventStream, type EventType } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { channelWords, isBroken, isOutdated } from "../channel/words.js";
import { byId, element, setState } from "../ui/dom.js";
import { timeOf } from "../ui/time.js";
import { summary } from "./summary.js";

/** How many events are kept. */
const MOST = 300;
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 15_000;

/** What happens on the desktop, the newest on top. */
export class EventsPanel {
  readonly #list = byId("events-list", HTMLOListElement);
  readonly #state = byId("events-state", HTMLParagraphElement);
  readonly #boxes = new Map<string, HTMLInputElement>();
  readonly #happened: (event: DesktopEvent) => void;
  #stream: EventStream | undefined;
  /** Ends the wait before the next try. */
  #wake: () => void = () => {};

  /** @param happened called at every event */
  constructor(happened: (event: DesktopEvent) => void) {
    this.#happened = happened;
    const filters = byId("events-filters", HTMLFieldSetElement);
    for (const type of EVENT_TYPES) {
      const box = element("input", { type: "checkbox", checked: "" });
      box.addEventListener("change", () => this.#filter(type, box.checked));
      this.#boxes.set(type, box);
      filters.append(element("label", {}, box, words(type)));
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

  /** @param reached whether the service is there */
  reach(reached: boolean): void {
    if (!reached) return;
    const stream = this.#stream;
    if (stream !== undefined && isBroken(stream.state)) {
      this.#stream = undefined;
      void stream.close();
    }
    this.#wake();
  }

  /** Connects now, if the channel waits before it does so by itself. */
  redial(): void {
    if (this.#stream?.state.status === "reconnecting") this.reach(true);
  }

  /** Watches for as long as the session lasts; a channel that broke for good is opened again with a fresh password. */
  async #keepOpen(session: Session): Promise<void> {
    const { ended } = session;
    let lost = false;
    for (let retry = FIRST_RETRY; !ended.aborted; retry = Math.min(retry * 2, LONGEST_RETRY)) {
      setState(this.#state, "Connecting…", "busy");
      let opened = false;
      try {
        const computer = await session.connect();
        const stream = await computer.events(this.#wanted(), { signal: ended });
        if (ended.aborted) return void stream.close();
        retry = FIRST_RETRY;
        if (lost) this.#gap("The connection was lost: events may be missing here.");
        lost = opened = true;
        await this.#follow(stream, ended);
        // It was closed to be opened anew.
        if (this.#stream !== stream) continue;
      } catch (error) {
        if (ended.aborted) return;
        if (opened && error instanceof ChannelClosedError && isOutdated(error.cause)) continue;
        const seconds = Math.round(retry / 1000);
        setState(this.#state, `${explain(error).message} Trying again in ${seconds} s…`, "bad");
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
      const { text, tone } = channelWords(stream.state);
      setState(this.#state, text, tone);
    };
    stream.on("state", show);
    stream.on("error", (message) => !ended.aborted && setState(this.#state, message, "bad"));
    stream.on("gap", (missed) => {
      if (ended.aborted) return;
      this.#gap(missed === undefined ? "Events may be missing here." : `${missed} events are missing here.`);
    });
    show();
    for await (const event of stream) {
      if (ended.aborted) return;
      this.#add(event);
      this.#happened(event);
    }
  }

  #wanted(): EventType[] {
    return EVENT_TYPES.filter((type) => this.#boxes.get(type)?.checked);
  }

  #filter(type: EventType, wanted: boolean): void {
    if (wanted) this.#stream?.subscribe([type]);
    else this.#stream?.unsubscribe([type]);
    for (const item of this.#list.querySelectorAll<HTMLLIElement>(`[data-type="${type}"]`)) item.hidden = !wanted;
  }

  #add(event: DesktopEvent): void {
    const at = new Date(event.timestamp);
    const item = element(
      "li",
      { "data-type": event.type },
      element("time", { datetime: event.timestamp }, Number.isNaN(at.getTime()) ? event.timestamp : timeOf(at)),
      element("p", {}, element("span", { class: "type" }, words(event.type)), " ", summary(event)),
    );
    // What came before the server heard of a changed filter.
    item.hidden = this.#boxes.get(event.type)?.checked === false;
    this.#prepend(item);
  }

  #gap(text: string): void {
    const at = new Date();
    this.#prepend(element("li", { class: "gap" }, element("time", {}, timeOf(at)), element("p", {}, text)));
  }

  #prepend(item: HTMLLIElement): void {
    this.#list.querySelector(".empty")?.remove();
    this.#list.prepend(item);
    while (this.#list.childElementCount > MOST) this.#list.lastElementChild?.remove();
  }

  #clear(): void {
    this.#list.replaceChildren(element("li", { class: "empty" }, "Nothing has happened yet."));
  }
}

function words(type: string): string {
  return type.replaceAll("_", " ");
}
