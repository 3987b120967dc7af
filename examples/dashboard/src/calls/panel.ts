import type { Call, CallLog } from "../api/call-log.js";
import { byId, element, setText } from "../ui/dom.js";
import { timeOf } from "../ui/time.js";

/** How many calls are kept. */
const MOST = 200;
/** How many of the last screenshots the summary is of. */
const SAMPLE = 50;

/** The last calls of the API with their times, the newest on top. */
export class CallsPanel {
  readonly #rows = byId("calls-rows", HTMLTableSectionElement);
  readonly #summary = byId("calls-summary", HTMLParagraphElement);
  readonly #polling = byId("calls-polling", HTMLInputElement);
  readonly #screenshots: number[] = [];

  constructor(log: CallLog) {
    log.watch((call) => this.#add(call));
    this.#polling.addEventListener("change", () => {
      for (const row of this.#rows.querySelectorAll<HTMLTableRowElement>("[data-polling]")) row.hidden = !this.#polling.checked;
    });
  }

  #add(call: Call): void {
    if (call.operation === "computers.screenshot" && call.outcome === "ok") this.#sum(call.duration);
    const failed = call.outcome !== "ok";
    // Polling that works is of no interest in the list, unless it is asked for.
    if (call.polling && !failed && !this.#polling.checked) return;
    const row = element(
      "tr",
      call.polling && !failed ? { "data-polling": "" } : {},
      element("td", {}, timeOf(call.at)),
      element("td", {}, call.operation),
      element("td", { class: "number" }, call.duration < 10 ? call.duration.toFixed(1) : String(Math.round(call.duration))),
      element("td", { "data-tone": failed ? "bad" : "good", title: call.outcome }, call.outcome),
    );
    // What is tried again and again while the service is out of reach is one row.
    const top = this.#rows.rows[0];
    if (call.polling && failed && top?.cells[1]?.textContent === call.operation && top.cells[3]?.textContent === call.outcome) {
      top.remove();
    }
    this.#rows.prepend(row);
    while (this.#rows.childElementCount > MOST) this.#rows.lastElementChild?.remove();
  }

  #sum(duration: number): void {
    this.#screenshots.push(duration);
    if (this.#screenshots.length > SAMPLE) this.#screenshots.shift();
    const sorted = [...this.#screenshots].sort((one, other) => one - other);
    setText(this.#summary, `Screenshots: median ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms`);
  }
}
