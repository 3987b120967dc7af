// Shows a screen in an element of the page, and passes the input of the user.

import { type AttachOptions, SCALE, type ScreenView } from "../channel/screen.js";
import { checkArgument, checks } from "../options.js";
import { cursorStyle } from "./cursor.js";
import { Keyboard } from "./keyboard.js";
import type { Cursor } from "./messages.js";
import { Pointer } from "./pointer.js";
import type { RemoteScreen, ViewListener } from "./remote.js";
import type { StartPan } from "./touch.js";
import type { Size } from "./wheel.js";

/** The keys that move the focus out of a view, in the format of `aria-keyshortcuts`. */
const LEAVE_KEYS = "Control+Alt+Shift";

/** A view of a screen. */
export class View implements ScreenView, ViewListener {
  readonly #screen: RemoteScreen;
  readonly #root = document.createElement("div");
  readonly #canvas = document.createElement("canvas");
  /** Receives the keys and the text of input methods, which browsers pass only to editable elements. */
  readonly #field = document.createElement("textarea");
  readonly #id: number;
  readonly #detached = new AbortController();
  readonly #viewOnly: boolean;
  readonly #cursorOption: NonNullable<AttachOptions["cursor"]>;
  readonly #pointer: Pointer;
  readonly #keyboard: Keyboard;
  #size: Size = { width: 0, height: 0 };
  #scale: NonNullable<AttachOptions["scale"]>;
  #input: boolean;
  #cursor: Cursor | undefined;
  #inPage = true;
  /** The window that shows the view. Its listeners end when the view moves to another window. */
  #window: Window & typeof globalThis = window;
  #moved: AbortController | undefined;
  /** Where the user has pressed the pointer last, in CSS pixels from the corner of the view. */
  #caret = { x: 0, y: 0 };

  constructor(screen: RemoteScreen, element: HTMLElement, options: AttachOptions) {
    const { scale = "fit", input = true, viewOnly = false, cursor = "remote", label = "The screen of the computer" } = options;
    this.#screen = screen;
    this.#scale = scale;
    this.#viewOnly = viewOnly;
    this.#input = input && !viewOnly;
    this.#cursorOption = cursor;
    const send = (name: string, argument: object) => {
      // A key or a button that the server does not know has no effect.
      try {
        screen.command(name, argument);
      } catch {}
    };
    this.#pointer = new Pointer(
      this.#canvas,
      () => this.#size,
      send,
      () => this.#startPan(),
    );
    this.#keyboard = new Keyboard(this.#field, send, options.type, () => this.#leave());
    this.#build(label);
    element.append(this.#root);
    this.#listen();
    this.#followWindow();
    this.#id = screen.show(this.#canvas, this);
    this.#applyInput();
    this.#reportVisibility();
  }

  get scale(): NonNullable<AttachOptions["scale"]> {
    return this.#scale;
  }

  set scale(scale) {
    checkArgument("view", "scale", scale, SCALE);
    this.#scale = scale;
    this.#layOut();
  }

  get input(): boolean {
    return this.#input;
  }

  set input(input) {
    checkArgument("view", "input", input, checks.boolean);
    if (this.#viewOnly || this.#input === input) return;
    this.#input = input;
    if (!input) this.#release();
    this.#applyInput();
  }

  focus(): void {
    this.#field.focus({ preventScroll: true });
  }

  detach(): void {
    if (this.#detached.signal.aborted) return;
    this.#release();
    this.#detached.abort();
    this.#moved?.abort();
    this.#screen.hide(this.#id);
    this.#root.remove();
  }

  resized(size: Size): void {
    this.#size = size;
    this.#layOut();
  }

  cursor(cursor: Cursor): void {
    this.#cursor = cursor;
    this.#showCursor();
  }

  #build(label: string): void {
    const root = this.#root;
    const field = this.#field;
    // Style sheets of the page can replace these styles, but a Content-Security-Policy does not block them.
    Object.assign(root.style, {
      position: "relative",
      direction: "ltr",
      width: "100%",
      height: "100%",
      userSelect: "none",
      webkitUserSelect: "none",
    });
    Object.assign(this.#canvas.style, { display: "block" });
    Object.assign(field.style, {
      position: "absolute",
      width: "1px",
      height: "1em",
      padding: "0",
      border: "0",
      outline: "0",
      resize: "none",
      overflow: "hidden",
      opacity: "0",
      pointerEvents: "none",
      // The blinking of the invisible caret would take a part of the page's time.
      caretAnimation: "manual",
    });
    for (const [name, value] of Object.entries({ autocapitalize: "off", autocomplete: "off", autocorrect: "off" })) {
      field.setAttribute(name, value);
    }
    field.spellcheck = false;
    root.setAttribute("aria-label", label);
    root.tabIndex = -1;
    field.setAttribute("aria-label", label);
    field.setAttribute("aria-keyshortcuts", LEAVE_KEYS);
    field.setAttribute("aria-description", `Keys go to the computer. ${LEAVE_KEYS} leaves the screen.`);
    this.#placeField();
    root.append(this.#canvas, field);
  }

  #listen(): void {
    const { signal } = this.#detached;
    this.#pointer.listen(signal, ({ pointerType, clientX, clientY }) => {
      const { x, y, width } = this.#root.getBoundingClientRect();
      // The page may scale or zoom the view.
      const scale = width / this.#root.offsetWidth;
      this.#caret = { x: (clientX - x) / scale, y: (clientY - y) / scale };
      this.#placeField();
      // With the focus, a touch screen would show its keyboard at each tap.
      if (pointerType !== "touch") this.focus();
    });
    this.#keyboard.listen(signal);
    this.#root.addEventListener("scroll", () => this.#placeField(), { signal });
    // Nothing reports that the page has moved the view to another window, but the user has to give it the focus there.
    this.#root.addEventListener("focusin", () => this.#reportVisibility(), { signal });
    // The field can be reached again with the Tab key after the focus has left the view.
    this.#root.addEventListener("focusout", () => this.#applyTabOrder(), { signal });
  }

  /**
   * Listens to the window that shows the view. It may be a frame or another window, and the page can move the view, for example to a
   * picture-in-picture window.
   */
  #followWindow(): void {
    const { defaultView } = this.#root.ownerDocument;
    if (defaultView === null || (this.#moved !== undefined && defaultView === this.#window)) return;
    this.#window = defaultView;
    this.#moved?.abort();
    this.#moved = new AbortController();
    const { signal } = this.#moved;
    defaultView.document.addEventListener("visibilitychange", () => this.#reportVisibility(), { signal });
    // A frame can be removed from the page.
    defaultView.addEventListener("pagehide", () => this.#release(), { signal });
    const { IntersectionObserver } = defaultView;
    if (IntersectionObserver !== undefined) {
      // The observer of the page does not report while the page is hidden.
      const observer = new IntersectionObserver((entries) => {
        this.#inPage = entries.at(-1)?.isIntersecting ?? true;
        this.#reportVisibility();
      });
      observer.observe(this.#root);
      signal.addEventListener("abort", () => observer.disconnect());
    }
    this.#followPixelRatio(signal);
    this.#layOut();
  }

  /** Lays out the view again when the user zooms the page or moves it to a display with another density. */
  #followPixelRatio(signal: AbortSignal): void {
    const query = this.#window.matchMedia(`(resolution: ${this.#window.devicePixelRatio}dppx)`);
    const changed = () => {
      this.#layOut();
      this.#followPixelRatio(signal);
    };
    query.addEventListener("change", changed, { once: true, signal });
  }

  #layOut(): void {
    const { width, height } = this.#size;
    const exact = this.#scale === "1:1";
    const ratio = this.#window.devicePixelRatio;
    this.#root.style.overflow = exact ? "auto" : "hidden";
    Object.assign(this.#canvas.style, {
      width: exact ? `${width / ratio}px` : "100%",
      height: exact ? `${height / ratio}px` : "100%",
      aspectRatio: width > 0 ? `${width} / ${height}` : "auto",
      objectFit: "contain",
      imageRendering: exact ? "pixelated" : "auto",
    });
  }

  /**
   * Moves the field to the caret, because input methods show their candidates at the field. The field remains in the visible part of
   * the view: the browser would scroll to it when the user types.
   */
  #placeField(): void {
    const { scrollLeft, scrollTop } = this.#root;
    Object.assign(this.#field.style, {
      left: `calc(clamp(0px, ${this.#caret.x}px, 100% - 1px) + ${scrollLeft}px)`,
      top: `calc(clamp(0px, ${this.#caret.y}px, 100% - 1em) + ${scrollTop}px)`,
    });
  }

  #startPan(): ReturnType<StartPan> {
    const root = this.#root;
    const { scrollLeft, scrollTop } = root;
    return (x, y) => {
      root.scrollTo(scrollLeft + x, scrollTop + y);
      return root.scrollLeft !== scrollLeft || root.scrollTop !== scrollTop;
    };
  }

  #reportVisibility(): void {
    if (this.#detached.signal.aborted) return;
    this.#followWindow();
    const visible = this.#inPage && this.#window.document.visibilityState !== "hidden";
    // The browser does not report that a button was released over a view that is hidden.
    if (!visible) this.#release();
    this.#screen.setVisible(this.#id, visible);
  }

  #applyInput(): void {
    this.#pointer.enabled = this.#input;
    this.#keyboard.enabled = this.#input;
    this.#field.disabled = !this.#input;
    // Without input, the fingers scroll and zoom the page, and a screen that is larger than its view.
    this.#root.style.touchAction = this.#input ? "none" : "auto";
    this.#root.setAttribute("role", this.#input ? "application" : "img");
    this.#applyTabOrder();
    this.#showCursor();
  }

  #applyTabOrder(): void {
    this.#field.tabIndex = 0;
  }

  #showCursor(): void {
    const { style } = this.#canvas;
    style.cursor = !this.#input || this.#cursorOption === "local" ? "default" : cursorStyle(this.#cursorOption, this.#cursor);
  }

  #release(): void {
    this.#pointer.release();
    this.#keyboard.release();
  }

  /** Moves the focus out of the field, so that Tab moves on to the next element of the page. */
  #leave(): void {
    this.#root.focus({ preventScroll: true });
    this.#field.tabIndex = -1;
  }
}
