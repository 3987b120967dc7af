import type { PlayerStats } from "orgo-sdk";
import { byId, element, setText } from "../ui/dom.js";

/** The statistics to show: the name, a function that formats the value (`rate` is the sample rate in Hz), and the tooltip. */
const ROWS: [name: string, format: (stats: PlayerStats, rate: number) => string, title: string][] = [
  ["Buffered", ({ buffered }, rate) => milliseconds(buffered, rate), "Audio that is received but not yet played"],
  ["Target", ({ target }) => `${Math.round(target)} ms`, "Target length of the jitter buffer; it grows on an unstable network"],
  ["Underruns", ({ underruns }) => String(underruns), "Number of times that the buffer was empty"],
  ["Concealed", ({ concealed }, rate) => milliseconds(concealed, rate), "Silence inserted while the buffer was empty"],
  ["Dropped", ({ dropped }, rate) => milliseconds(dropped, rate), "Audio discarded to reduce the delay"],
  ["Speed", ({ rate }) => `${(rate * 100).toFixed(2)} %`, "Playback speed, adjusted to the clock of the sender"],
];

/** Shows the statistics of the player. */
export class Stats {
  readonly #values = new Map<string, HTMLElement>();

  constructor() {
    for (const [name, , title] of ROWS) {
      const value = element("dd", {}, "–");
      this.#values.set(name, value);
      byId("audio-stats", HTMLDListElement).append(element("div", { title }, element("dt", {}, name), value));
    }
  }

  /** Shows the statistics. `rate` is the sample rate of the stream, in Hz. */
  show(stats: PlayerStats, rate: number): void {
    for (const [name, format] of ROWS) {
      const value = this.#values.get(name);
      if (value !== undefined) setText(value, format(stats, rate));
    }
  }

  clear(): void {
    for (const value of this.#values.values()) setText(value, "–");
  }
}

function milliseconds(samples: number, rate: number): string {
  return rate > 0 ? `${Math.round((samples / rate) * 1000)} ms` : "–";
}
