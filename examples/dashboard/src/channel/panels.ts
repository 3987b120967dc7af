import type { DesktopEvent } from "orgo-sdk";
import { EventsPanel } from "../events/panel.js";
import { SoundPanel } from "../sound/panel.js";
import { TerminalPanel } from "../terminal/panel.js";
import type { Session } from "./session.js";

/** The shortest time between two tries that the channels do not make by themselves, in milliseconds. */
const SHORTEST_REDIAL = 1_000;

/**
 * The panels that open channels of their own. They need the SDK and the emulator of a terminal, which are most of the
 * page's code, so this module is loaded after the screen.
 */
export class ChannelPanels {
  readonly #panels: [TerminalPanel, SoundPanel, EventsPanel];
  #redialled = -Infinity;

  /**
   * @param happened is called at every event
   * @param broken is called when the connection to a running computer breaks
   */
  constructor(happened: (event: DesktopEvent) => void, broken: () => void) {
    this.#panels = [new TerminalPanel(broken), new SoundPanel(), new EventsPanel(happened)];
  }

  attach(session: Session): void {
    for (const panel of this.#panels) panel.attach(session);
  }

  /** @param id the computer that is selected */
  detach(id: string | undefined): void {
    const [terminal, ...others] = this.#panels;
    terminal.detach(id);
    for (const panel of others) panel.detach();
  }

  /** @param reached whether the service is there. What waited for it need not wait longer then */
  reach(reached: boolean): void {
    for (const panel of this.#panels) panel.reach(reached);
  }

  /** The service answers: channels that wait before they connect again do so now, unless they break again at once. */
  redial(): void {
    const now = performance.now();
    if (now - this.#redialled < SHORTEST_REDIAL) return;
    this.#redialled = now;
    for (const panel of this.#panels) panel.redial();
  }
}
