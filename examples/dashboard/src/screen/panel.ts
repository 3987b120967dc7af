import type { Api } from "../api/client.js";
import { isRejectedInput, paragraph } from "../api/problem.js";
import type { Computer } from "../api/types.js";
import type { Session } from "../channel/session.js";
import { APPLE } from "../ui/apple.js";
import { byId, setText } from "../ui/dom.js";
import type { Notices } from "../ui/notices.js";
import { ApiMode } from "./api-mode.js";
import { ClipboardMenu } from "./clipboard-menu.js";
import { setUpFullScreen } from "./full-screen.js";
import { Hint } from "./hint.js";
import { InputQueue } from "./input-queue.js";
import { createKeyMenu } from "./key-menu.js";
import { type LiveListener, LiveMode } from "./live-mode.js";
import type { ModeListener, ModeName, ScreenMode } from "./mode.js";
import { Overlay, type OverlayMessage } from "./overlay.js";
import { skippedMessage } from "./skipped-characters.js";

const INPUT = "send your input to the computer";
const REJECTED = "send one of your inputs";
const UNAVAILABLE = "open the live screen";
/** The key of the selected mode in the browser's storage. */
const STORAGE_KEY = "screen-mode";

const HINTS = {
  idle: "Click the screen or press Enter to type.",
  touch: "Tap, drag, hold to right-click, two fingers to scroll.",
  viewOnly: "View only. Your input is not sent.",
  captured: {
    live: `Your keys go to the computer. ${APPLE ? "⌃⌥⇧" : "Ctrl+Alt+Shift"} stops.`,
    api: "Your keys go to the computer. Press Esc twice to stop.",
  },
};

/** The screen of a computer, with pointer and keyboard input: live, or in the API mode. */
export class ScreenPanel {
  readonly #notices: Notices;
  readonly #stage = byId("screen-stage", HTMLDivElement);
  readonly #rate = byId("screen-rate", HTMLSpanElement);
  readonly #detail = byId("screen-latency", HTMLSpanElement);
  readonly #full = byId("screen-full", HTMLButtonElement);
  readonly #keyboard = byId("screen-keyboard", HTMLButtonElement);
  readonly #control = byId("screen-control", HTMLButtonElement);
  readonly #exact = byId("screen-exact", HTMLButtonElement);
  readonly #overlay = new Overlay();
  readonly #hint = new Hint();
  readonly #api: ApiMode;
  readonly #live: LiveMode;
  readonly #keys = createKeyMenu((key) => this.#current.key(key));
  readonly #clipboard: ClipboardMenu;
  #mode: ModeName = "live";
  #computer: { info: Computer; session: Session; message: OverlayMessage } | undefined;
  #visible = false;
  #viewOnly = false;
  #show!: () => void;
  /** Resolves when the screen is first shown. */
  readonly shown = new Promise<void>((resolve) => {
    this.#show = resolve;
  });

  /** @param onSuspectedOutage called when a failure suggests that the service is unreachable */
  constructor(api: Api, notices: Notices, onSuspectedOutage: () => void) {
    this.#notices = notices;
    const listen = (mode: ModeName): ModeListener => ({
      onShown: () => this.#mode === mode && this.#onShown(),
      onHidden: (message) => this.#mode === mode && this.#hide(message),
      onCapture: () => this.#update(),
      onSize: ({ width, height }) => this.#stage.style.setProperty("--screen-ratio", `${width} / ${height}`),
      onStats: ({ rate, detail }) => {
        if (this.#mode !== mode) return;
        if (rate !== undefined) setText(this.#rate, rate);
        setText(this.#detail, detail);
      },
      onSuspectedOutage,
    });
    const queue = this.#createQueue(api, onSuspectedOutage);
    this.#api = new ApiMode(api, queue, this.#hint, listen("api"));
    const liveListener: LiveListener = {
      ...listen("live"),
      onUnavailable: (error) => this.#fallBack(error),
      type: (text) => queue.type(text),
    };
    this.#live = new LiveMode(this.#hint, liveListener);
    this.#clipboard = new ClipboardMenu(this.#hint, () => this.#live.clipboard);
    for (const choice of modeChoices()) {
      choice.addEventListener("change", () => {
        localStorage.setItem(STORAGE_KEY, choice.value);
        this.#notices.clear(UNAVAILABLE);
        this.#select(choice.value as ModeName);
      });
    }
    this.#control.addEventListener("click", () => {
      this.#viewOnly = !this.#viewOnly;
      this.#applyInput();
    });
    this.#exact.addEventListener("click", () => {
      const exact = this.#exact.getAttribute("aria-pressed") !== "true";
      this.#exact.setAttribute("aria-pressed", String(exact));
      this.#stage.toggleAttribute("data-exact", exact);
      for (const mode of [this.#api, this.#live]) mode.setScale(exact ? "1:1" : "fit");
    });
    // Keep the focus in the field while the button is pressed.
    this.#keyboard.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#keyboard.addEventListener("click", () => {
      if (this.#current.captured) this.#stage.focus({ preventScroll: true });
      else this.#current.capture();
    });
    setUpFullScreen(this.#stage, () => this.#current.capture());
    this.#select(preferredMode());
  }

  get #current(): ScreenMode {
    return this.#mode === "live" ? this.#live : this.#api;
  }

  /** Shows a running computer. */
  attach(info: Computer, session: Session, message: OverlayMessage): void {
    if (this.#computer?.session === session) return;
    this.detach(message, info.id);
    this.#computer = { info, session, message };
    // This computer may have a live screen, even if the last one had none.
    this.#select(preferredMode());
  }

  /**
   * Shows a message in place of the screen.
   *
   * @param id the selected computer; its last image stays visible behind the message
   */
  detach(message: OverlayMessage, id: string | undefined): void {
    this.#computer = undefined;
    this.#notices.clear(UNAVAILABLE);
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    for (const mode of [this.#live, this.#api]) {
      mode.stop();
      mode.clear(id);
    }
    this.#hide(message);
  }

  /** Refreshes the screen more often for a short time. Called when the screen is likely to change. */
  speedUp(): void {
    this.#api.speedUp();
  }

  /** Reconnects immediately if the screen waits for its next attempt. Called when the service responds. */
  reconnect(): void {
    this.#current.retry();
  }

  /** Creates the queue of the inputs that are sent by calls: all inputs of the API mode, and some text of the live mode. */
  #createQueue(api: Api, onSuspectedOutage: () => void): InputQueue {
    return new InputQueue({
      send: async (action, params) => {
        const skipped = skippedMessage(await api.act(this.#computer?.info.id ?? "", action, params));
        if (skipped !== undefined) this.#hint.show(skipped);
      },
      onSent: () => {
        this.#notices.clear(INPUT);
        this.#api.speedUp();
      },
      onError: (error) => {
        const onlyThisInput = isRejectedInput(error);
        if (!onlyThisInput) onSuspectedOutage();
        // Ignore errors of inputs that were pending when the computer stopped.
        if (this.#computer !== undefined) this.#notices.fail(onlyThisInput ? REJECTED : INPUT, error);
        return onlyThisInput;
      },
    });
  }

  #select(mode: ModeName): void {
    this.#current.stop();
    this.#mode = mode;
    this.#stage.dataset.mode = mode;
    // In the live mode, the view itself is a tab stop.
    this.#stage.tabIndex = mode === "live" ? -1 : 0;
    for (const choice of modeChoices()) choice.checked = choice.value === mode;
    this.#update();
    if (this.#computer === undefined) return;
    const { info, session, message } = this.#computer;
    this.#hide(message);
    if (this.#mode === "live") this.#live.start(info.id, session);
    else this.#api.start(info.id, session, info.resolution);
  }

  /** Uses the API mode for a computer without a live screen. */
  #fallBack(error: unknown): void {
    const problem = new Error(`${paragraph(error)} The API mode is used instead.`);
    this.#notices.fail(UNAVAILABLE, problem, { label: "Retry now", run: () => this.#retryLive() });
    this.#select("api");
  }

  #retryLive(): void {
    this.#notices.clear(UNAVAILABLE);
    this.#select("live");
  }

  #onShown(): void {
    this.#visible = true;
    this.#show();
    this.#overlay.hide();
    this.#update();
  }

  #hide(message: OverlayMessage): void {
    this.#visible = false;
    this.#overlay.show(message);
    setText(this.#rate, "");
    setText(this.#detail, "");
    this.#update();
  }

  /** Lets the user control the computer, or only view its screen. */
  #applyInput(): void {
    this.#control.toggleAttribute("data-view-only", this.#viewOnly);
    for (const mode of [this.#api, this.#live]) mode.setInput(!this.#viewOnly);
    this.#update();
  }

  /** Enables or disables the controls of the screen. */
  #update(): void {
    const input = this.#visible && !this.#viewOnly;
    const captured = this.#current.captured;
    this.#full.disabled = !this.#visible;
    this.#keyboard.disabled = !input;
    this.#keyboard.setAttribute("aria-pressed", String(captured));
    this.#keys.setEnabled(input);
    this.#clipboard.setEnabled(this.#visible && this.#mode === "live", input);
    const idle = matchMedia("(hover: none)").matches ? HINTS.touch : HINTS.idle;
    const hint = this.#viewOnly ? HINTS.viewOnly : captured ? HINTS.captured[this.#mode] : idle;
    this.#hint.setDefault(this.#visible ? hint : "");
  }
}

function preferredMode(): ModeName {
  return localStorage.getItem(STORAGE_KEY) === "api" ? "api" : "live";
}

function modeChoices(): NodeListOf<HTMLInputElement> {
  return document.querySelectorAll<HTMLInputElement>("#screen-mode input");
}
