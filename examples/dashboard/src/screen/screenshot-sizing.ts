import type { ScreenshotRequest } from "../api/client.js";
import type { Size } from "./geometry.js";

/** The ratio of view size to screen size above which screenshots are not scaled. */
const FULL_SIZE_RATIO = 0.9;
/** The step between scales. With it, small changes of the window size do not change the scale. */
const STEP = 0.05;

/**
 * Chooses the format and scale of screenshots: lossless and unscaled if the view is about as large as the screen, otherwise a
 * scaled JPEG. Also tracks the size of the screen, which a scaled screenshot does not show.
 */
export class ScreenshotSizing {
  #size: Size | undefined;
  /** The scale of the last request. `undefined` for full size. */
  #scale: number | undefined;

  /** The size of the screen in pixels, if known. */
  get size(): Size | undefined {
    return this.#size;
  }

  /** Starts with the initial `resolution` of a computer, such as `1280x720x24`. Programs can change it later. */
  reset(resolution: string | undefined): void {
    const [width, height] = (resolution ?? "").split("x").map(Number);
    this.#size = width && height ? { width, height } : undefined;
  }

  /** Returns the format and scale of the next screenshot for a view. The size of the view is in device pixels. */
  request(view: Size): ScreenshotRequest {
    this.#scale = undefined;
    if (this.#size === undefined || view.width <= 0 || view.height <= 0) return {};
    const ratio = Math.min(view.width / this.#size.width, view.height / this.#size.height);
    if (ratio > FULL_SIZE_RATIO) return {};
    this.#scale = Number((Math.ceil(ratio / STEP) * STEP).toFixed(2));
    return { format: "jpeg", scale: this.#scale };
  }

  /**
   * Updates the size of the screen from a screenshot.
   *
   * @returns whether the size of the screen is known. If false, the next screenshot is requested at full size
   */
  accept({ width, height }: Size): boolean {
    const known = this.#size;
    if (this.#scale === undefined) {
      this.#size = { width, height };
    } else if (known !== undefined) {
      // Some servers ignore the scale.
      const fits = [this.#scale, 1].some(
        (scale) => Math.abs(known.width * scale - width) <= 1 && Math.abs(known.height * scale - height) <= 1,
      );
      if (!fits) this.#size = undefined;
    }
    return this.#size !== undefined;
  }
}
