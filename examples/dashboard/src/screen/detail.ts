import type { PictureRequest } from "../api/client.js";
import type { Size } from "./geometry.js";

/** How large a part of the screen's size a view has to be for the exact picture. */
const EXACT = 0.9;
/** The sizes that are asked for are multiples of this, so that a window that grows does not need a new one each time. */
const STEP = 0.05;

/**
 * Chooses how the pictures of a screen are taken: exact if the view is about as large as the screen, else smaller, as
 * JPEG. It also knows how large the screen itself is, which a smaller picture does not tell.
 */
export class Detail {
  #size: Size | undefined;
  #asked: number | undefined;

  /** The screen's size in pixels, if it is known. */
  get size(): Size | undefined {
    return this.#size;
  }

  /** @param resolution of the computer as it was created, as `1280x720x24`; programs on it can change it later */
  begin(resolution: string | undefined): void {
    const [width, height] = (resolution ?? "").split("x").map(Number);
    this.#size = width && height ? { width, height } : undefined;
  }

  /** @param view how large the picture is shown, in pixels of the display */
  request(view: Size): PictureRequest {
    this.#asked = undefined;
    if (this.#size === undefined || view.width <= 0 || view.height <= 0) return {};
    const part = Math.min(view.width / this.#size.width, view.height / this.#size.height);
    if (part > EXACT) return {};
    this.#asked = Number((Math.ceil(part / STEP) * STEP).toFixed(2));
    return { format: "jpeg", scale: this.#asked };
  }

  /**
   * Learns from a picture.
   *
   * @returns whether the screen's size is known then: if not, the next picture is exact and has it
   */
  accept(picture: Size): boolean {
    const { width, height } = picture;
    const known = this.#size;
    if (this.#asked === undefined) {
      this.#size = { width, height };
    } else if (known !== undefined) {
      // Not every server makes smaller pictures.
      const fits = [this.#asked, 1].some(
        (scale) => Math.abs(known.width * scale - width) <= 1 && Math.abs(known.height * scale - height) <= 1,
      );
      if (!fits) this.#size = undefined;
    }
    return this.#size !== undefined;
  }
}
