// Functions that write into a terminal, in Node and in pages. Their parameters and results are plain data.
import { until } from "../support/wait.mjs";

/** The maximum time for a program to start, or to read all input, in milliseconds. */
const PROGRAM_LIMIT = 600_000;

/** Returns a pseudorandom number generator (mulberry32). */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Ranges of code points: the first code point, and the number of code points. */
const RANGES = [
  [0, 0x80],
  [0x20, 0x5f],
  [0x20, 0x5f],
  [0x80, 0x780],
  [0x4e00, 0x5000],
  [0x1f300, 0x300],
];

/** Generates random text in pieces of up to `maxLength` code points, with control characters and surrogate pairs. */
function* randomText(seed, bytes, maxLength) {
  const next = generator(seed);
  const encoder = new TextEncoder();
  for (let remaining = bytes; remaining > 0; ) {
    const codes = [];
    // Some pieces are short, like keystrokes.
    const length = next() % 8 === 0 ? (next() % 8) + 1 : (next() % maxLength) + 1;
    for (let at = 0; at < length; at++) {
      const [first, count] = RANGES[next() % RANGES.length];
      codes.push(first + (next() % count));
    }
    let text = "";
    for (let at = 0; at < codes.length; at += 4096) text += String.fromCodePoint(...codes.slice(at, at + 4096));
    // ASCII pieces at the end make the total size exact.
    if (encoder.encode(text).length > remaining) text = "x".repeat(Math.min(remaining, 1000));
    remaining -= encoder.encode(text).length;
    yield text;
  }
}

async function digest(pieces) {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Opens a terminal, and records the output, the states and the reconnects of the terminal. */
async function open(sdk, connection) {
  const terminal = await sdk.Orgo.connect(connection).terminal({ cols: 80, rows: 24 });
  const seen = { text: "", states: [], reconnections: [] };
  terminal.on("state", (state) => seen.states.push(state));
  terminal.on("reconnected", (unacknowledged) => seen.reconnections.push(unacknowledged));
  void (async () => {
    for await (const text of terminal) seen.text = (seen.text + text).slice(-100_000);
  })().catch(() => {});
  return { terminal, seen };
}

/** Runs a command, and waits until the output contains `expected`. */
async function run(terminal, seen, command, expected) {
  terminal.write(`${command}\r`);
  await until(`${command} to print ${expected}`, () => seen.text.includes(expected), PROGRAM_LIMIT);
}

/** The methods of writing any amount of text. */
const methods = {
  async writable(terminal, pieces) {
    const writer = terminal.writable.getWriter();
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  },
  async write(terminal, pieces) {
    for (const piece of pieces) {
      while (!terminal.write(piece)) {
        // Acknowledgments free space. While the connection is unstable, no acknowledgments may arrive.
        if (terminal.refusal === "disconnected") throw new Error("the terminal is disconnected");
        await terminal.drained();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await terminal.drained();
  },
  /** Writes all text at once, like a paste. */
  async paste(terminal, pieces) {
    if (!terminal.write([...pieces].join(""))) throw new Error(`refused: ${terminal.refusal}`);
    await terminal.drained();
  },
};

/**
 * Writes random text to a program that reads it slowly. Returns the digests of the written and the read text.
 *
 * @param {{ method: keyof typeof methods, seed: number, bytes: number, program: string }} params
 */
export async function writeAll(sdk, connection, { method, seed, bytes, program }) {
  const { terminal, seen } = await open(sdk, connection);
  await run(terminal, seen, `stty raw -echo; python3 ${program} ${bytes}`, "[reading]");
  const encoder = new TextEncoder();
  const encoded = [];
  const began = performance.now();
  function* pieces() {
    for (const piece of randomText(seed, bytes, 60_000)) {
      encoded.push(encoder.encode(piece));
      yield piece;
    }
  }
  await methods[method](terminal, pieces());
  const drained = performance.now() - began;
  await until("the program to read the whole text", () => /\[read [0-9a-f]{64}\]/.test(seen.text), PROGRAM_LIMIT);
  const took = performance.now() - began;
  const { counters } = terminal;
  await terminal.close();
  return {
    read: seen.text.match(/\[read ([0-9a-f]{64})\]/)[1],
    written: await digest(encoded),
    statuses: seen.states.map(({ status }) => status),
    counters,
    drained,
    took,
  };
}

/** Writes random text to a program that echoes it, and reads the echo at the same time. */
export async function echoAll(sdk, connection, { seed, bytes }) {
  const terminal = await sdk.Orgo.connect(connection).terminal();
  terminal.write("stty raw -echo; echo rea''dy; exec cat\r");
  let greeting = "";
  while (!greeting.includes("ready\n")) greeting += await terminal.read({ timeout: PROGRAM_LIMIT });
  const encoder = new TextEncoder();
  const [written, read] = [[], []];
  const reading = (async () => {
    for (let remaining = bytes; remaining > 0; remaining -= read.at(-1).length)
      read.push(encoder.encode(await terminal.read({ timeout: PROGRAM_LIMIT })));
  })();
  const writer = terminal.writable.getWriter();
  for (const piece of randomText(seed, bytes, 60_000)) {
    written.push(encoder.encode(piece));
    await writer.write(piece);
  }
  await Promise.all([writer.close(), reading]);
  const { counters } = terminal;
  await terminal.close();
  return { written: await digest(written), read: await digest(read), counters };
}

/** Writes numbered text until the terminal refuses it. Then waits for the new shell, and runs a command in it. */
export async function writeUntilRefused(sdk, connection, { file }) {
  const { terminal, seen } = await open(sdk, connection);
  await run(terminal, seen, `stty raw -echo; echo rea''dy; exec cat > ${file}`, "ready");
  await terminal.drained();
  let accepted = "";
  let refusal;
  for (let number = 0; refusal === undefined; number++) {
    const piece = `<${number} ä🦀>`.repeat(20);
    if (terminal.write(piece)) accepted += piece;
    else refusal = terminal.refusal;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const failed = await terminal.drained().then(
    () => undefined,
    ({ name, message, delivered }) => ({ name, message, delivered }),
  );
  await until("a new shell", () => seen.reconnections.length > 0, PROGRAM_LIMIT);
  seen.text = "";
  await run(terminal, seen, "echo a$((40+2))c", "a42c");
  const { counters } = terminal;
  await terminal.close();
  const { states, reconnections, text } = seen;
  return {
    accepted,
    refusal,
    failed,
    counters,
    reconnections,
    text,
    statuses: states.map(({ status }) => status),
    causes: states.map(({ cause }) => cause),
  };
}
