import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal as View } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { ChannelClosedError, type Terminal } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { describeState, hasOldPassword, isDisconnected } from "../channel/state.js";
import { APPLE } from "../ui/apple.js";
import { setUpDialog } from "../ui/dialog.js";
import { byId, setState, setText } from "../ui/dom.js";
import { Find } from "./find.js";
import { isCopyInTerminal, isFindInTerminal, isPasteInTerminal } from "./keys.js";
import { withoutControlCharacters } from "./paste.js";
import { watchColorScheme } from "./themes.js";

/** The debounce delay of resizing, in milliseconds. */
const RESIZE_DELAY = 80;
/** The escape sequences that reset modes of programs: alternate screen, mouse reporting, colors, hidden cursor and others. */
const RESET_MODES = "\x1b[!p\x1b[?1047l\x1b[?1000;1002;1003;1006;2004l\x1b[?25h\x1b[0m";
const NEW_SHELL = "This is a new shell.";
const LOST = `The connection was lost. ${NEW_SHELL}`;
const HINT = APPLE
  ? "Press Enter to type, ⌘C and ⌘V to copy and paste, Shift+F6 to exit"
  : "Press Enter to type, Ctrl+Shift+C and V to copy and paste, Shift+F6 to exit";
/** How long a temporary message is shown, in milliseconds. */
const NOTE_DURATION = 2_500;

/** The messages for rejected input, by reason. */
const REFUSALS: Record<NonNullable<Terminal["refusal"]>, string> = {
  disconnected: "the terminal is disconnected",
  unstable: "the computer does not respond",
  full: "earlier input is still being sent",
};

/** A shell on the computer, in xterm.js. */
export class TerminalPanel {
  readonly #holder = byId("terminal-view", HTMLDivElement);
  readonly #state = byId("terminal-state", HTMLParagraphElement);
  readonly #hint = byId("terminal-hint", HTMLParagraphElement);
  readonly #button = byId("terminal-open", HTMLButtonElement);
  readonly #confirmDialog = byId("new-shell", HTMLDialogElement);
  readonly #view: View;
  readonly #fit = new FitAddon();
  readonly #onDisconnect: () => void;
  #session: Session | undefined;
  #terminal: Terminal | undefined;
  /** The id of the computer whose output is shown. */
  #shownId: string | undefined;
  /** Whether the output of an earlier shell is shown. */
  #hadShell = false;
  /** Whether to open a new shell if the current one is lost. False after the shell has exited. */
  #autoReopen = false;
  #reachable = true;
  /** Identifies the pending attempt to open a shell. */
  #opening: object | undefined;
  #fitTimer: number | undefined;
  #noteTimer: number | undefined;

  /** @param onDisconnect called when the connection of the channel breaks */
  constructor(onDisconnect: () => void) {
    this.#onDisconnect = onDisconnect;
    this.#view = new View({
      // The Unicode addon uses the proposed API.
      allowProposedApi: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
      fontSize: 13,
      scrollback: 5_000,
    });
    this.#view.loadAddon(this.#fit);
    this.#view.loadAddon(new UnicodeGraphemesAddon());
    this.#view.loadAddon(new WebLinksAddon((_, address) => void window.open(address, "_blank", "noopener")));
    watchColorScheme((theme) => {
      this.#view.options.theme = theme;
    });
    this.#view.open(this.#holder);
    // The terminal is a single tab stop. It captures the keys only on Enter or a click, because Tab goes to the shell.
    if (this.#view.textarea !== undefined) this.#view.textarea.tabIndex = -1;
    this.#holder.addEventListener("keydown", (event) => {
      if (event.target !== this.#holder || event.key !== "Enter") return;
      event.preventDefault();
      this.#view.focus();
    });
    this.#view.attachCustomKeyEventHandler((event) => this.#passesToShell(event));
    // Runs before the handler of the emulator, which does not filter characters.
    this.#holder.addEventListener("paste", (event) => this.#paste(event), { capture: true });
    this.#view.onData((data) => this.#write(data));
    this.#view.onResize(({ cols, rows }) => this.#terminal?.resize(cols, rows));
    const find = new Find(this.#view);
    this.#holder.addEventListener("keydown", (event) => {
      if (!isFindInTerminal(event)) return;
      event.preventDefault();
      find.open();
    });
    this.#button.addEventListener("click", () => {
      const { status } = this.#terminal?.state ?? { status: "closed" };
      if (status === "closed") this.#replace();
      else this.#confirmDialog.showModal();
    });
    setUpDialog(
      this.#confirmDialog,
      byId("new-shell-form", HTMLFormElement),
      "new-shell-problem",
      async () => () => this.#replace(),
    );
    new ResizeObserver(() => this.#scheduleFit()).observe(this.#holder);
    this.detach(undefined);
  }

  attach(session: Session): void {
    this.#show(session.id);
    this.#session = session;
    void this.#open(session, NEW_SHELL);
  }

  /** Detaches from the shell. `id` is the id of the selected computer; the output of its shells stays visible. */
  detach(id: string | undefined): void {
    this.#show(id);
    this.#session = undefined;
    this.#autoReopen = false;
    this.#opening = undefined;
    void this.#terminal?.close();
    this.#terminal = undefined;
    this.#view.options.disableStdin = true;
    this.#enable();
    if (this.#confirmDialog.open) this.#confirmDialog.close();
    setText(this.#hint, "");
    setState(this.#state, "Not running", "idle");
  }

  /** Updates the panel. If the service is `reachable`, a lost shell is replaced without delay. */
  setReachable(reachable: boolean): void {
    const terminal = this.#terminal;
    this.#reachable = reachable;
    this.#enable();
    if (!reachable || this.#session === undefined || !this.#autoReopen) return;
    if (terminal === undefined || terminal.state.status === "closed" || isDisconnected(terminal.state)) {
      void this.#open(this.#session, LOST);
    }
  }

  /** Reconnects immediately if the channel waits for the next attempt. */
  reconnect(): void {
    if (this.#terminal?.state.status === "reconnecting") this.setReachable(true);
  }

  #enable(): void {
    this.#button.disabled = this.#session === undefined || this.#opening !== undefined || !this.#reachable;
  }

  #show(id: string | undefined): void {
    if (id === this.#shownId) return;
    this.#view.reset();
    this.#shownId = id;
    this.#hadShell = false;
  }

  #replace(): void {
    if (this.#session === undefined) return;
    void this.#open(this.#session, NEW_SHELL);
    this.#view.focus();
  }

  /**
   * Opens a new shell, which replaces the current shell.
   *
   * @param notice the line to print between the output of the old shell and that of the new one
   */
  async #open(session: Session, notice: string): Promise<void> {
    const opening = {};
    this.#opening = opening;
    const isObsolete = () => session.ended.aborted || this.#opening !== opening;
    void this.#terminal?.close();
    this.#terminal = undefined;
    this.#autoReopen = true;
    this.#applyFit();
    this.#enable();
    setText(this.#hint, HINT);
    this.#hint.title = HINT;
    setState(this.#state, "Connecting…", "busy");
    try {
      const computer = await session.connect();
      const { cols, rows } = this.#view;
      const terminal = await computer.terminal({ cols, rows }, { signal: session.ended });
      if (isObsolete()) return void terminal.close();
      if (this.#hadShell) this.#printNotice(notice);
      this.#hadShell = true;
      this.#use(terminal, session);
    } catch (error) {
      if (isObsolete()) return;
      this.#opening = undefined;
      this.#enable();
      setState(this.#state, explain(error).message, "bad");
    }
  }

  #use(terminal: Terminal, session: Session): void {
    this.#terminal = terminal;
    const isCurrent = () => this.#terminal === terminal && !session.ended.aborted;
    const show = () => {
      if (!isCurrent()) return;
      const { text, tone } = describeState(terminal.state);
      setState(this.#state, text, tone);
      if (terminal.state.status === "reconnecting") this.#onDisconnect();
    };
    terminal.on("state", show);
    terminal.on("error", (message) => isCurrent() && setState(this.#state, message, "bad"));
    terminal.on("reconnected", (unacknowledged) => {
      if (!isCurrent()) return;
      const lost = unacknowledged > 0 ? ` The last ${unacknowledged} bytes of input may be lost.` : "";
      this.#printNotice(`${LOST}${lost}`);
    });
    this.#view.options.disableStdin = false;
    this.#opening = undefined;
    this.#enable();
    // The size may have changed while the channel was opening.
    terminal.resize(this.#view.cols, this.#view.rows);
    show();
    void this.#read(terminal, session, isCurrent);
  }

  async #read(terminal: Terminal, session: Session, isCurrent: () => boolean): Promise<void> {
    try {
      for await (const text of terminal) {
        if (!isCurrent()) return;
        // Backpressure: reads the next chunk only after xterm.js has processed this chunk.
        await new Promise<void>((resolve) => this.#view.write(text, resolve));
      }
      const code = await terminal.exited;
      if (!isCurrent()) return;
      this.#autoReopen = false;
      setState(this.#state, `The shell exited with code ${code}`, code === 0 ? "idle" : "bad");
    } catch (error) {
      if (!isCurrent()) return;
      if (error instanceof ChannelClosedError && hasOldPassword(error.cause)) return void this.#open(session, LOST);
      setState(this.#state, explain(error).message, "bad");
    }
    this.#view.options.disableStdin = true;
    this.#printNotice("Press “New shell” to start another shell.");
  }

  /** Shows a temporary message in place of the state. */
  #showNote(text: string, tone: "good" | "bad"): void {
    const terminal = this.#terminal;
    setState(this.#state, text, tone);
    clearTimeout(this.#noteTimer);
    this.#noteTimer = window.setTimeout(() => {
      if (terminal === undefined || this.#terminal !== terminal || terminal.state.status === "closed") return;
      const { text, tone } = describeState(terminal.state);
      setState(this.#state, text, tone);
    }, NOTE_DURATION);
  }

  #write(data: string): void {
    const terminal = this.#terminal;
    if (terminal === undefined) return;
    try {
      if (!terminal.write(data)) this.#showNote(`Not sent: ${REFUSALS[terminal.refusal ?? "full"]}`, "bad");
    } catch (error) {
      // The text is too long or contains an unpaired surrogate.
      this.#showNote(`Not sent: ${explain(error).message}`, "bad");
    }
  }

  #paste(event: ClipboardEvent): void {
    // Ignore pastes into the search field, which is in the same panel.
    if (event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    event.stopPropagation();
    const { text, removed } = withoutControlCharacters(event.clipboardData?.getData("text/plain") ?? "");
    this.#view.paste(text);
    if (removed > 0) this.#showNote(`Pasted without ${removed} control character${removed === 1 ? "" : "s"}`, "bad");
  }

  /** Prints a line from the page, not from the shell, into the terminal. */
  #printNotice(text: string): void {
    this.#view.write(`${RESET_MODES}\r\n\x1b[2m${text}\x1b[0m\r\n`);
  }

  /** Returns whether a key event goes to the shell. Shift+F6 moves the focus out, because Tab and Escape go to the shell. */
  #passesToShell(event: KeyboardEvent): boolean {
    if (isPasteInTerminal(event, APPLE)) return false;
    if (isCopyInTerminal(event, this.#view.hasSelection(), APPLE)) {
      event.preventDefault();
      if (event.type === "keydown") void this.#copy();
      return false;
    }
    if (event.key !== "F6" || !event.shiftKey) return true;
    if (event.type === "keydown") {
      event.preventDefault();
      this.#holder.focus();
    }
    return false;
  }

  async #copy(): Promise<void> {
    const text = this.#view.getSelection();
    if (text === "") return;
    try {
      await navigator.clipboard.writeText(text);
      // The next Ctrl+C goes to the shell.
      this.#view.clearSelection();
      this.#showNote("Copied", "good");
    } catch {
      this.#showNote("Could not copy: the browser denied access to the clipboard", "bad");
    }
  }

  #scheduleFit(): void {
    clearTimeout(this.#fitTimer);
    this.#fitTimer = window.setTimeout(() => this.#applyFit(), RESIZE_DELAY);
  }

  #applyFit(): void {
    // A hidden panel has no size.
    if (this.#holder.clientWidth > 0) this.#fit.fit();
  }
}
