import type { DesktopEvent } from "orgo-sdk";
import { EventsPanel } from "../events/panel.js";
import { SoundPanel } from "../sound/panel.js";
import { TerminalPanel } from "../terminal/panel.js";
import type { Session } from "./session.js";

/**
 * The panels that open channels of their own. They need the SDK and the emulator of a terminal, which are most of the
 * page's code, so this module is loaded after the screen.
 */
export class ChannelPanels {
  readonly #panels: [TerminalPanel, SoundPanel, EventsPanel];

  /** @param happened called at every event */
  constructor(happened: (event: DesktopEvent) => void) {
    this.#panels = [new TerminalPanel(), new SoundPanel(), new EventsPanel(happened)];
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
}
