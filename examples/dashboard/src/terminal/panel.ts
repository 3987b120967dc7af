import { FitAddon } from "@xterm/addon-fit";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal as View } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { ChannelClosedError, type InputRefusal, type Terminal } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { channelWords, isBroken, isOutdated } from "../channel/words.js";
import { APPLE } from "../ui/apple.js";
import { setUpDialog } from "../ui/dialog.js";
import { byId, setState, setText } from "../ui/dom.js";
import { Find } from "./find.js";
import { isCopyInTerminal, isFindInTerminal, isPasteInTerminal } from "./keys.js";
import { pasteable } from "./pasteable.js";
import { followScheme } from "./themes.js";

/** How long the size has to stay the same before the shell is told, in milliseconds. */
const SETTLED = 80;
/** What a program may have left the terminal in: the other screen, mouse reports, colours, a hidden cursor and the like. */
const PLAIN_MODES = "\x1b[!p\x1b[?1047l\x1b[?1000;1002;1003;1006;2004l\x1b[?25h\x1b[0m";
const NEW_SHELL = "This is a new shell.";
const LOST = `The connection was lost. ${NEW_SHELL}`;
const HINT = APPLE
  ? "Enter to type, ⌘C and ⌘V to copy and paste, Shift+F6 to leave"
  : "Enter to type, Ctrl+Shift+C and V to copy and paste, Shift+F6 to leave";
/** How long a note stays, in milliseconds. */
const NOTE = 2_500;

/** Why what is typed is not sent. */
const REFUSALS: Record<InputRefusal, string> = {
  disconnected: "the connection is down",
  unstable: "the computer does not answer",
  full: "what was typed or pasted before is still on its way",
};

/** A shell on the computer, in xterm.js. */
export class TerminalPanel {
  readonly #holder = byId("terminal-view", HTMLDivElement);
  readonly #state = byId("terminal-state", HTMLParagraphElement);
  readonly #hint = byId("terminal-hint", HTMLParagraphElement);
  readonly #button = byId("terminal-open", HTMLButtonElement);
  readonly #ask = byId("new-shell", HTMLDialogElement);
  readonly #view: View;
  readonly #fit = new FitAddon();
  readonly #broken: () => void;
  #session: Session | undefined;
  #terminal: Terminal | undefined;
  /** The computer whose shells are shown. */
  #shown: string | undefined;
  /** Whether something of an earlier shell is shown. */
  #hadShell = false;
  /** Whether there is to be a shell: not after it has ended by itself. */
  #wanted = false;
  #reached = true;
  /** Stands for the try to open one that is on its way. */
  #opening: object | undefined;
  #fitting: number | undefined;
  #noting: number | undefined;

  /** @param broken is called when the channel breaks */
  constructor(broken: () => void) {
    this.#broken = broken;
    this.#view = new View({
      // The widths of characters are part of it.
      allowProposedApi: true,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
      fontSize: 13,
      scrollback: 5_000,
    });
    this.#view.loadAddon(this.#fit);
    this.#view.loadAddon(new UnicodeGraphemesAddon());
    this.#view.loadAddon(new WebLinksAddon((_, address) => void window.open(address, "_blank", "noopener")));
    followScheme((theme) => {
      this.#view.options.theme = theme;
    });
    this.#view.open(this.#holder);
    // The terminal is one stop in the page's order of focus and takes the keys only when it is asked to, since it
    // needs Tab for the shell.
    if (this.#view.textarea !== undefined) this.#view.textarea.tabIndex = -1;
    this.#holder.addEventListener("keydown", (event) => {
      if (event.target !== this.#holder || event.key !== "Enter") return;
      event.preventDefault();
      this.#view.focus();
    });
    this.#view.attachCustomKeyEventHandler((event) => this.#mayHandle(event));
    // Before the emulator, which passes all characters on.
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
      else this.#ask.showModal();
    });
    setUpDialog(this.#ask, byId("new-shell-form", HTMLFormElement), "new-shell-problem", async () => () => this.#replace());
    new ResizeObserver(() => this.#fitSoon()).observe(this.#holder);
    this.detach(undefined);
  }

  attach(session: Session): void {
    this.#show(session.id);
    this.#session = session;
    void this.#open(session, NEW_SHELL);
  }

  /** @param id the computer that is selected: what its shells have printed stays */
  detach(id: string | undefined): void {
    this.#show(id);
    this.#session = undefined;
    this.#wanted = false;
    this.#opening = undefined;
    void this.#terminal?.close();
    this.#terminal = undefined;
    this.#view.options.disableStdin = true;
    this.#enable();
    if (this.#ask.open) this.#ask.close();
    setText(this.#hint, "");
    setState(this.#state, "Not running", "idle");
  }

  /** @param reached whether the service is there */
  reach(reached: boolean): void {
    const terminal = this.#terminal;
    this.#reached = reached;
    this.#enable();
    if (!reached || this.#session === undefined || !this.#wanted) return;
    if (terminal === undefined || terminal.state.status === "closed" || isBroken(terminal.state)) {
      void this.#open(this.#session, LOST);
    }
  }

  /** Connects now, if the channel waits before it does so by itself. */
  redial(): void {
    if (this.#terminal?.state.status === "reconnecting") this.reach(true);
  }

  #enable(): void {
    this.#button.disabled = this.#session === undefined || this.#opening !== undefined || !this.#reached;
  }

  #show(id: string | undefined): void {
    if (id === this.#shown) return;
    this.#view.reset();
    this.#shown = id;
    this.#hadShell = false;
  }

  #replace(): void {
    if (this.#session === undefined) return;
    void this.#open(this.#session, NEW_SHELL);
    this.#view.focus();
  }

  /**
   * Opens a shell in the place of the one that is shown.
   *
   * @param words what is said of it after what the one before has printed, if there was one
   */
  async #open(session: Session, words: string): Promise<void> {
    const opening = (this.#opening = {});
    const isOver = () => session.ended.aborted || this.#opening !== opening;
    void this.#terminal?.close();
    this.#terminal = undefined;
    this.#wanted = true;
    this.#fitNow();
    this.#enable();
    setText(this.#hint, HINT);
    this.#hint.title = HINT;
    setState(this.#state, "Connecting…", "busy");
    try {
      const computer = await session.connect();
      const { cols, rows } = this.#view;
      const terminal = await computer.terminal({ cols, rows }, { signal: session.ended });
      if (isOver()) return void terminal.close();
      if (this.#hadShell) this.#say(words);
      this.#hadShell = true;
      this.#use(terminal, session);
    } catch (error) {
      if (isOver()) return;
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
      const { text, tone } = channelWords(terminal.state);
      setState(this.#state, text, tone);
      if (terminal.state.status === "reconnecting") this.#broken();
    };
    terminal.on("state", show);
    terminal.on("error", (message) => isCurrent() && setState(this.#state, message, "bad"));
    terminal.on("reconnected", (unacknowledged) => {
      if (!isCurrent()) return;
      const lost = unacknowledged > 0 ? ` The last ${unacknowledged} bytes typed may not have arrived.` : "";
      this.#say(`${LOST}${lost}`);
    });
    this.#view.options.disableStdin = false;
    this.#opening = undefined;
    this.#enable();
    // The window may have changed while the shell was on its way.
    terminal.resize(this.#view.cols, this.#view.rows);
    show();
    void this.#read(terminal, session, isCurrent);
  }

  async #read(terminal: Terminal, session: Session, isCurrent: () => boolean): Promise<void> {
    try {
      for await (const text of terminal) {
        if (!isCurrent()) return;
        // Reading on only when this is drawn holds a shell back that prints faster than the page can show.
        await new Promise<void>((resolve) => this.#view.write(text, resolve));
      }
      const code = await terminal.exited;
      if (!isCurrent()) return;
      this.#wanted = false;
      setState(this.#state, `The shell ended with exit code ${code}`, code === 0 ? "idle" : "bad");
    } catch (error) {
      if (!isCurrent()) return;
      if (error instanceof ChannelClosedError && isOutdated(error.cause)) return void this.#open(session, LOST);
      setState(this.#state, explain(error).message, "bad");
    }
    this.#view.options.disableStdin = true;
    this.#say("Press “New shell” for another one.");
  }

  /** Shows a note for a moment in the place of the terminal's state. */
  #note(text: string, tone: "good" | "bad"): void {
    const terminal = this.#terminal;
    setState(this.#state, text, tone);
    clearTimeout(this.#noting);
    this.#noting = window.setTimeout(() => {
      if (terminal === undefined || this.#terminal !== terminal || terminal.state.status === "closed") return;
      const { text, tone } = channelWords(terminal.state);
      setState(this.#state, text, tone);
    }, NOTE);
  }

  #write(data: string): void {
    const terminal = this.#terminal;
    if (terminal === undefined) return;
    try {
      if (!terminal.write(data)) this.#note(`Not sent: ${REFUSALS[terminal.refusal ?? "full"]}`, "bad");
    } catch (error) {
      // It is too long, or has half of an emoji.
      this.#note(`Not sent: ${explain(error).message}`, "bad");
    }
  }

  #paste(event: ClipboardEvent): void {
    // The search field is in the panel too.
    if (event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    event.stopPropagation();
    const { text, leftOut } = pasteable(event.clipboardData?.getData("text/plain") ?? "");
    this.#view.paste(text);
    if (leftOut > 0) this.#note(`Pasted without ${leftOut} control character${leftOut === 1 ? "" : "s"}`, "bad");
  }

  /** Writes a line of the page's own among the shell's output. */
  #say(text: string): void {
    this.#view.write(`${PLAIN_MODES}\r\n\x1b[2m${text}\x1b[0m\r\n`);
  }

  /** Keys that are not the shell's. Shift+F6 moves the focus out, since Tab and Escape are. */
  #mayHandle(event: KeyboardEvent): boolean {
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
      // The next Ctrl+C is the shell's.
      this.#view.clearSelection();
      this.#note("Copied", "good");
    } catch {
      this.#note("Not copied: the browser does not allow it", "bad");
    }
  }

  #fitSoon(): void {
    clearTimeout(this.#fitting);
    this.#fitting = window.setTimeout(() => this.#fitNow(), SETTLED);
  }

  #fitNow(): void {
    // A panel that is not shown has no size.
    if (this.#holder.clientWidth > 0) this.#fit.fit();
  }
}
