// Attaches your terminal to a shell on a computer. Ctrl-] detaches it.
//
//   ORGO_API_KEY=sk_live_... node terminal.mjs [COMPUTER_ID]
import { once } from "node:events";
import { ChannelClosedError, Orgo } from "orgo-sdk";
import { findComputer } from "./computer.mjs";

const { argv, stdin, stdout } = process;

const DETACH = "\x1d";
const size = () => ({ cols: stdout.columns || 80, rows: stdout.rows || 24 });

const computer = await findComputer(new Orgo(), argv[2]);
const terminal = await computer.terminal(size());
terminal.on("state", (state) => {
  if (state.status === "reconnecting") stdout.write("\r\n[connection lost; reconnecting]\r\n");
});
terminal.on("reconnected", () => stdout.write("\r\n[reconnected; this is a new shell]\r\n"));

stdout.on("resize", () => terminal.resize(size().cols, size().rows));
stdin.setRawMode?.(true);
stdin.setEncoding("utf8");
stdin.on("data", (keys) => {
  if (keys === DETACH) void terminal.close();
  // Rings the bell if the input is rejected, for example while the terminal is disconnected.
  else if (!terminal.write(keys)) stdout.write("\x07");
});

try {
  for await (const output of terminal) {
    // Backpressure: a slow terminal slows the shell down.
    if (!stdout.write(output)) await once(stdout, "drain");
  }
  process.exitCode = await terminal.exited;
} catch (error) {
  if (!(error instanceof ChannelClosedError)) throw error;
  if (error.cause.reason !== "normal") {
    console.error(`\r\n[${error.message}]`);
    process.exitCode = 1;
  }
} finally {
  stdin.setRawMode?.(false);
  stdin.pause();
}
