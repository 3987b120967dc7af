import { FitAddon } from "@xterm/addon-fit";
import { Terminal as View } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { ChannelClosedError, type InputRefusal, type Terminal } from "orgo-sdk";
import { explain } from "../api/problem.js";
import type { Session } from "../channel/session.js";
import { channelWords, isOutdated } from "../channel/words.js";
import { byId, setState } from "../ui/dom.js";
import { followScheme } from "./themes.js";

/** How long the size has to stay the same before the shell is told, in milliseconds. */
const SETTLED = 80;
/** How long a note on lost keystrokes stays, in milliseconds. */
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
  readonly #button = byId("terminal-open", HTMLButtonElement);
  readonly #view: View;
  readonly #fit = new FitAddon();
  #session: Session | undefined;
  #terminal: Terminal | undefined;
  #fitting: number | undefined;
  #noting: number | undefined;

  constructor() {
    this.#view = new View({
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"),
      fontSize: 13,
      scrollback: 5_000,
    });
    this.#view.loadAddon(this.#fit);
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
    this.#view.onData((data) => this.#write(data));
    this.#view.onResize(({ cols, rows }) => this.#terminal?.resize(cols, rows));
    this.#button.addEventListener("click", () => {
      if (this.#session === undefined) return;
      void this.#open(this.#session);
      this.#view.focus();
    });
    new ResizeObserver(() => this.#fitSoon()).observe(this.#holder);
    this.detach();
  }

  attach(session: Session): void {
    this.#session = session;
    void this.#open(session);
  }

  detach(): void {
    this.#session = undefined;
    void this.#terminal?.close();
    this.#terminal = undefined;
    this.#view.reset();
    this.#view.options.disableStdin = true;
    this.#button.disabled = true;
    setState(this.#state, "Not running", "idle");
  }

  /** Opens a shell in the place of the one that is shown. */
  async #open(session: Session): Promise<void> {
    void this.#terminal?.close();
    this.#terminal = undefined;
    this.#view.reset();
    this.#fitNow();
    this.#button.disabled = true;
    setState(this.#state, "Connecting…", "busy");
    try {
      const computer = await session.connect();
      const { cols, rows } = this.#view;
      const terminal = await computer.terminal({ cols, rows }, { signal: session.ended });
      if (session.ended.aborted) return void terminal.close();
      this.#use(terminal, session);
    } catch (error) {
      if (session.ended.aborted) return;
      this.#button.disabled = false;
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
    };
    terminal.on("state", show);
    terminal.on("error", (message) => isCurrent() && setState(this.#state, message, "bad"));
    terminal.on("reconnected", (unacknowledged) => {
      if (!isCurrent()) return;
      const lost = unacknowledged > 0 ? ` The last ${unacknowledged} bytes typed may not have arrived.` : "";
      this.#say(`The connection was lost: this is a new shell.${lost}`);
    });
    this.#view.options.disableStdin = false;
    this.#button.disabled = false;
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
      setState(this.#state, `The shell ended with exit code ${code}`, code === 0 ? "idle" : "bad");
    } catch (error) {
      if (!isCurrent()) return;
      if (error instanceof ChannelClosedError && isOutdated(error.cause)) return void this.#open(session);
      setState(this.#state, explain(error).message, "bad");
    }
    this.#view.options.disableStdin = true;
    this.#say("Press “New shell” for another one.");
  }

  #write(data: string): void {
    const terminal = this.#terminal;
    if (terminal === undefined || terminal.write(data)) return;
    setState(this.#state, `Not sent: ${REFUSALS[terminal.refusal ?? "full"]}`, "bad");
    clearTimeout(this.#noting);
    this.#noting = window.setTimeout(() => {
      if (this.#terminal !== terminal || terminal.state.status === "closed") return;
      const { text, tone } = channelWords(terminal.state);
      setState(this.#state, text, tone);
    }, NOTE);
  }

  /** Writes a line of the page's own among the shell's output. */
  #say(text: string): void {
    this.#view.write(`\r\n\x1b[2m${text}\x1b[0m\r\n`);
  }

  /** Shift+F6 moves the focus out, since Tab and Escape are the shell's. */
  #mayHandle(event: KeyboardEvent): boolean {
    if (event.key !== "F6" || !event.shiftKey) return true;
    if (event.type === "keydown") {
      event.preventDefault();
      this.#holder.focus();
    }
    return false;
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
