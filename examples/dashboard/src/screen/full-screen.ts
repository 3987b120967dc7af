import { byId } from "../ui/dom.js";

/** The Keyboard Lock API: a full-screen page receives all keys, including Escape. Holding Escape exits full screen. */
interface KeyboardLock {
  keyboard?: { lock?(keys?: string[]): Promise<void> };
}

/**
 * Sets up the button that shows the screen in full screen.
 *
 * @param onEntered called when full screen begins
 */
export function setUpFullScreen(stage: HTMLElement, onEntered: () => void): void {
  const button = byId("screen-full", HTMLButtonElement);
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", async () => {
    try {
      await stage.requestFullscreen({ navigationUI: "hide" });
      onEntered();
      await (navigator as KeyboardLock).keyboard?.lock?.();
    } catch {
      // The browser rejected the request. The page does not change.
    }
  });
}
