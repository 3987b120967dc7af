import type { PlayerStats } from "orgo-sdk";
import { byId, element, setText } from "../ui/dom.js";

/** What is shown of a player: its name, and its text from the figures and the samples per second. */
const ROWS: [name: string, text: (stats: PlayerStats, rate: number) => string, title: string][] = [
  ["Buffered", ({ buffered }, rate) => milliseconds(buffered, rate), "Sound that has come and was not played yet"],
  ["Target", ({ target }) => `${Math.round(target)} ms`, "How much the player wants to have buffered; more on a bad network"],
  ["Underruns", ({ underruns }) => String(underruns), "How often no sound had come in time"],
  ["Concealed", ({ concealed }, rate) => milliseconds(concealed, rate), "Silence put in where no sound had come"],
  ["Dropped", ({ dropped }, rate) => milliseconds(dropped, rate), "Sound thrown away to stay live"],
  ["Speed", ({ rate }) => `${(rate * 100).toFixed(2)} %`, "How fast it is played, to follow the sender's clock"],
];

/** The player's own figures. */
export class Stats {
  readonly #values = new Map<string, HTMLElement>();

  constructor() {
    for (const [name, , title] of ROWS) {
      const value = element("dd", {}, "–");
      this.#values.set(name, value);
      byId("sound-stats", HTMLDListElement).append(element("div", { title }, element("dt", {}, name), value));
    }
  }

  /** @param rate the stream's samples per second */
  show(stats: PlayerStats, rate: number): void {
    for (const [name, text] of ROWS) {
      const value = this.#values.get(name);
      if (value !== undefined) setText(value, text(stats, rate));
    }
  }

  clear(): void {
    for (const value of this.#values.values()) setText(value, "–");
  }
}

function milliseconds(samples: number, rate: number): string {
  return rate > 0 ? `${Math.round((samples / rate) * 1000)} ms` : "–";
}
