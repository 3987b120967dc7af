import "@xterm/xterm/css/xterm.css";
import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { connect, show } from "./connect.js";

/** How much text xterm.js may have to process before this page waits for it, in characters. */
const MAX_UNPROCESSED = 256 * 1024;

const screen = new Terminal();
const fit = new FitAddon();
screen.loadAddon(fit);
screen.open(document.querySelector("#terminal"));
fit.fit();

const state = document.querySelector("#state");
try {
  const computer = await connect();
  const terminal = await computer.terminal({ cols: screen.cols, rows: screen.rows });
  show(state, terminal.state);
  terminal.on("state", (now) => show(state, now));
  terminal.on("reconnected", () => screen.write("\r\n[connection lost; this is a new shell]\r\n"));
  terminal.on("exit", (code) => screen.write(`\r\n[the shell exited with code ${code}]\r\n`));
  screen.onData((keys) => terminal.write(keys) || screen.write("\x07"));
  screen.onResize(({ cols, rows }) => terminal.resize(cols, rows));
  window.addEventListener("resize", () => fit.fit());
  screen.focus();
  let unprocessed = 0;
  for await (const text of terminal) {
    const processed = new Promise((resolve) => screen.write(text, resolve));
    unprocessed += text.length;
    if (unprocessed < MAX_UNPROCESSED) continue;
    // Reads more only after xterm.js has processed this text, so a slow page slows down the shell (backpressure).
    await processed;
    unprocessed = 0;
  }
} catch (error) {
  show(state, error);
}
