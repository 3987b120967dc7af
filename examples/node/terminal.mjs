// Attaches your terminal to a shell on a computer. Ctrl-] leaves it.
//
//   ORGO_API_KEY=sk_live_... node terminal.mjs [COMPUTER_ID]
import { once } from "node:events";
import { ChannelClosedError, Orgo } from "orgo-sdk";
import { findComputer } from "./computer.mjs";

const { argv, stdin, stdout } = process;

const LEAVE = "\x1d";
const size = () => ({ cols: stdout.columns || 80, rows: stdout.rows || 24 });

const computer = await findComputer(new Orgo(), argv[2]);
const terminal = await computer.terminal(size());
terminal.on("state", (state) => {
  if (state.status === "reconnecting") stdout.write("\r\n[the link is down, dialling again]\r\n");
});
terminal.on("reconnected", () => stdout.write("\r\n[a new shell: the old one is gone]\r\n"));

stdout.on("resize", () => terminal.resize(size().cols, size().rows));
stdin.setRawMode?.(true);
stdin.setEncoding("utf8");
stdin.on("data", (keys) => {
  if (keys === LEAVE) void terminal.close();
  // The bell says that the keys were refused, since the link is down for example.
  else if (!terminal.write(keys)) stdout.write("\x07");
});

try {
  for await (const output of terminal) {
    // A slow screen holds the shell back.
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
