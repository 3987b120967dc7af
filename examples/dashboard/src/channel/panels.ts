import type { DesktopEvent } from "orgo-sdk";
import { AudioPanel } from "../audio/panel.js";
import { EventsPanel } from "../events/panel.js";
import { TerminalPanel } from "../terminal/panel.js";
import type { Session } from "./session.js";

/** The minimum interval between reconnects that the panels start, in milliseconds. */
const MIN_RECONNECT_INTERVAL = 1_000;

/**
 * The panels that open channels. They need the SDK and the terminal emulator, which are most of the page's code, so the page
 * loads this module after the screen.
 */
export class ChannelPanels {
  readonly #panels: [TerminalPanel, AudioPanel, EventsPanel];
  #reconnectedAt = -Infinity;

  /**
   * @param onEvent called for every event
   * @param onDisconnect called when the connection to a running computer breaks
   */
  constructor(onEvent: (event: DesktopEvent) => void, onDisconnect: () => void) {
    this.#panels = [new TerminalPanel(onDisconnect), new AudioPanel(), new EventsPanel(onEvent)];
  }

  attach(session: Session): void {
    for (const panel of this.#panels) panel.attach(session);
  }

  /** Detaches the panels from the computer. `id` is the id of the selected computer. */
  detach(id: string | undefined): void {
    const [terminal, ...others] = this.#panels;
    terminal.detach(id);
    for (const panel of others) panel.detach();
  }

  /** Updates the panels. If the service is `reachable`, disconnected channels reconnect without delay. */
  setReachable(reachable: boolean): void {
    for (const panel of this.#panels) panel.setReachable(reachable);
  }

  /** Reconnects the channels that wait for their next attempt, at most once per interval. Called when the service responds. */
  reconnect(): void {
    const now = performance.now();
    if (now - this.#reconnectedAt < MIN_RECONNECT_INTERVAL) return;
    this.#reconnectedAt = now;
    for (const panel of this.#panels) panel.reconnect();
  }
}
