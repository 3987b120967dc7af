import type { Session } from "../channel/session.js";
import type { Size } from "./geometry.js";
import type { OverlayMessage } from "./overlay.js";

/** How the screen is shown: by the live channel, or only by calls of the API. */
export type ModeName = "live" | "api";

/** The size of the screen on the page: that of the panel, or one pixel of the display for each pixel. */
export type Scale = "fit" | "1:1";

/** What a mode reports. */
export interface ModeListener {
  /** The screen is shown and accepts input. */
  onShown(): void;
  /** The screen is not shown currently. Its last image stays visible behind the message. */
  onHidden(message: OverlayMessage): void;
  /** The focus moved to the screen or away from it, so that the keys go to the computer or not. */
  onCapture(): void;
  onSize(size: Size): void;
  /** The updates of the last second, and a second value: the latency or the data rate. */
  onStats(stats: { rate?: string; detail: string }): void;
  /** A failure suggests that the service is unreachable. */
  onSuspectedOutage(): void;
}

/** A way to show the screen of a computer and to pass input. */
export interface ScreenMode {
  /** Whether the keys go to the computer. */
  readonly captured: boolean;
  start(id: string, session: Session): void;
  /** Stops all work. The last image stays visible. */
  stop(): void;
  /** Removes the image, unless it is that of the computer with this id. */
  clear(id?: string): void;
  /** Called when the service responds: a mode that waits for its next attempt makes it now. */
  retry(): void;
  setInput(enabled: boolean): void;
  setScale(scale: Scale): void;
  /** Presses a key or a combination. */
  key(name: string): void;
  /** Starts sending the keys to the computer. */
  capture(): void;
}
