import { byId } from "../ui/dom.js";

/** Browsers that can hand a full screen's page every key, Escape too; holding Escape then leaves. */
interface KeyboardLock {
  keyboard?: { lock?(keys?: string[]): Promise<void> };
}

/**
 * Lets the screen fill the display, with the keyboard on it.
 *
 * @param entered called when it does
 */
export function setUpFullScreen(stage: HTMLElement, entered: () => void): void {
  const button = byId("screen-full", HTMLButtonElement);
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", async () => {
    try {
      await stage.requestFullscreen({ navigationUI: "hide" });
      entered();
      await (navigator as KeyboardLock).keyboard?.lock?.();
    } catch {
      // The browser refused; the screen stays as large as it is.
    }
  });
}
