// The page of the tests of flow control, time limits and preflights. The test calls its functions.
import "@xterm/xterm/css/xterm.css";
import { Terminal } from "@xterm/xterm";
import { Orgo } from "orgo-sdk";
import { until } from "../../support/wait.mjs";

/** The uncaught errors. */
globalThis.failures = [];
addEventListener("error", ({ message }) => failures.push(message));
addEventListener("unhandledrejection", ({ reason }) => failures.push(String(reason)));

const LONG = 600_000;
/** What `yes` prints. A terminal converts the end of each line. */
const YES = "y\r\n";
let terminal;
/** Called with each piece of the output after xterm.js has processed it. */
let onOutput = () => {};
let mostBuffered = 0;

/** Opens a terminal of a computer in xterm.js, as the example page does, and sets a prompt that is easy to find. */
globalThis.openTerminal = async (options, id) => {
  const view = new Terminal({ cols: 120, rows: 40 });
  view.open(document.querySelector("#terminal"));
  terminal = await new Orgo({ ...options, dangerouslyAllowBrowser: true }).computer(id).terminal({ cols: 120, rows: 40 });
  void (async () => {
    for await (const text of terminal) {
      await new Promise((drawn) => view.write(text, drawn));
      mostBuffered = Math.max(mostBuffered, terminal.counters.buffered);
      onOutput(text);
    }
  })();
  await outputOf("PS1='rea''dy> '\r", (text) => text.includes("ready> "));
};

/** Writes input, and collects the output until it is complete. `isComplete` gets the end of the output. */
async function outputOf(input, isComplete) {
  const pieces = [];
  let end = "";
  const complete = new Promise((resolve) => {
    onOutput = (text) => {
      pieces.push(text);
      end = (end + text).slice(-200);
      if (isComplete(end)) resolve();
    };
  });
  const closed = terminal.exited.catch((error) => {
    throw new Error(`the terminal was closed: ${error.message}`);
  });
  if (!terminal.write(input)) throw new Error(`the input was refused: ${terminal.refusal}`);
  await Promise.race([complete, closed]);
  return pieces.join("");
}

/** Prints a file in base64. Returns the SHA-256 of what xterm.js got, and the largest size of unread output. */
globalThis.printFile = async (path) => {
  mostBuffered = 0;
  const command = `echo begin-$((1+1)); base64 ${path}; echo end-$((1+1))\r`;
  const text = await outputOf(command, (end) => end.includes("end-2\r\n"));
  const printed = text.slice(text.indexOf("begin-2\r\n") + 9, text.lastIndexOf("end-2\r\n")).replaceAll("\r\n", "\n");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(printed));
  const hex = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { hash: hex, mostBuffered, size: printed.length };
};

/**
 * Runs `yes` for some seconds, and interrupts it. Returns the size of its output, whether the output is exact, and the time and
 * the output from Ctrl+C to the prompt.
 */
globalThis.runYes = async (seconds) => {
  mostBuffered = 0;
  let size = 0;
  let isExact = true;
  let start;
  const begin = performance.now();
  const pattern = YES.repeat(1 << 16);
  const began = new Promise((resolve) => {
    let head = "";
    onOutput = (text) => {
      let piece = text;
      if (start === undefined) {
        head += text;
        // The echo of the command is before the output.
        const at = head.indexOf(YES + YES);
        if (at < 0) return;
        piece = head.slice(at);
        start = performance.now();
        resolve();
      }
      const offset = size % YES.length;
      isExact &&= piece === pattern.slice(offset, offset + piece.length);
      size += piece.length;
    };
  });
  terminal.write("yes\r");
  await began;
  await until("the time to pass and output to arrive", () => performance.now() - begin > seconds * 1000 && size > 1 << 20, LONG);
  const interrupted = performance.now();
  const rest = await outputOf("\x03", (end) => end.includes("ready> "));
  const { status } = terminal.state;
  return { size, isExact, mostBuffered, status, delay: performance.now() - interrupted, rest: rest.length };
};

/** Opens a terminal of a server. */
const openShell = (port) =>
  Orgo.connect({ version: 1, computer_id: "c", password: "p", connection_url: `http://127.0.0.1:${port}` }).terminal();

let connected;
/** Opens a terminal of a server without reading it, and requests output. Resolves when output of a size has arrived. */
globalThis.openUnread = async (port, size) => {
  connected = await openShell(port);
  connected.write("go");
  await until("output", () => connected.counters.received >= size);
};

/** Reads the rest. Returns its size, and how the terminal ended. */
globalThis.readRest = async () => {
  let size = 0;
  const read = async () => {
    for await (const text of connected) size += text.length;
  };
  await read().catch(() => {});
  const { cause } = connected.state;
  return { size, reason: cause.reason, code: await connected.exited.catch(() => undefined) };
};

/** Opens a terminal, requests its output, and reads all of it. */
globalThis.readAll = async (port) => {
  connected = await openShell(port);
  connected.write("go");
  return readRest();
};

/** Opens terminals, requests a burst of messages in each, and reads it. */
globalThis.readBursts = async (port, count) => {
  const terminals = await Promise.all(Array.from({ length: count }, () => openShell(port)));
  const read = async (terminal) => {
    const problems = [];
    terminal.on("error", (message) => problems.push(message));
    let text = "";
    for await (const piece of terminal) text += piece;
    const { received, received_messages: messages, received_bytes: bytes, malformed } = terminal.counters;
    return {
      text,
      received,
      messages,
      bytes,
      malformed,
      problems,
      reason: terminal.state.cause.reason,
      code: await terminal.exited,
    };
  };
  for (const terminal of terminals) terminal.write("go");
  return Promise.all(terminals.map(read));
};

const testComputer = (port) =>
  new Orgo({ apiKey: "k", baseUrl: `http://127.0.0.1:${port}/api`, dangerouslyAllowBrowser: true, maxRetries: 0 }).computer("c1");

/** Clicks several times, one after the other. */
globalThis.click = async (port, count) => {
  const computer = testComputer(port);
  for (let index = 0; index < count; index += 1) await computer.click({ x: 1, y: 1 });
};

/**
 * Makes calls to a server that never responds, with these time limits. Aborts the first call after the other ones have ended. Returns
 * how each call ended.
 */
globalThis.callWithLimits = async (port, limits) => {
  const computer = testComputer(port);
  const controller = new AbortController();
  const calls = limits.map(async (timeout, index) => {
    const begin = performance.now();
    const signal = index === 0 ? controller.signal : undefined;
    const error = await computer.click({ x: 1, y: 1 }, { timeout, signal }).catch((error) => error);
    return { kind: error.kind, limit: error.limit, elapsed: performance.now() - begin };
  });
  await Promise.all(calls.slice(1));
  controller.abort();
  return Promise.all(calls);
};
