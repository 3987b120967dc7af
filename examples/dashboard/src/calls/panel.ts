import type { Call, CallLog } from "../api/call-log.js";
import { byId, element, setText } from "../ui/dom.js";
import { formatTime } from "../ui/time.js";

/** The maximum number of calls in the list. */
const MAX_ROWS = 200;
/** The number of recent screenshots that the summary covers. */
const SUMMARY_SIZE = 50;

/** Lists the recent API calls with their durations, newest first. */
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
    if (call.operation === "computers.screenshot" && call.outcome === "ok") this.#summarize(call.duration);
    const failed = call.outcome !== "ok";
    // Successful polling is hidden by default.
    if (call.polling && !failed && !this.#polling.checked) return;
    const row = element(
      "tr",
      call.polling && !failed ? { "data-polling": "" } : {},
      element("td", {}, formatTime(call.at)),
      element("td", {}, call.operation),
      element("td", { class: "number" }, call.duration < 10 ? call.duration.toFixed(1) : String(Math.round(call.duration))),
      element("td", { "data-tone": failed ? "bad" : "good", title: call.outcome }, call.outcome),
    );
    // Repeated failures of the same periodic call share one row.
    const top = this.#rows.rows[0];
    if (call.polling && failed && top?.cells[1]?.textContent === call.operation && top.cells[3]?.textContent === call.outcome) {
      top.remove();
    }
    this.#rows.prepend(row);
    while (this.#rows.childElementCount > MAX_ROWS) this.#rows.lastElementChild?.remove();
  }

  #summarize(duration: number): void {
    this.#screenshots.push(duration);
    if (this.#screenshots.length > SUMMARY_SIZE) this.#screenshots.shift();
    const sorted = [...this.#screenshots].sort((one, other) => one - other);
    setText(this.#summary, `Screenshots: median ${Math.round(sorted[sorted.length >> 1] ?? 0)} ms`);
  }
}
