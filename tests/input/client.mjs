// What writes into a terminal, in Node and in pages: everything that goes in and comes out is plain data.
import { until } from "../support/wait.mjs";

/** How long a program may take to start, or to say what it has read. */
const PATIENCE = 600_000;

/** A sequence of numbers from a seed (mulberry32). */
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Where the code points of each kind of character begin, and how many there are. */
const KINDS = [
  [0, 0x80],
  [0x20, 0x5f],
  [0x20, 0x5f],
  [0x80, 0x780],
  [0x4e00, 0x5000],
  [0x1f300, 0x300],
];

/** Random text: pieces of up to so many characters, control characters and pairs of surrogates among them. */
function* randomText(seed, bytes, longest) {
  const next = numbers(seed);
  const encoder = new TextEncoder();
  for (let left = bytes; left > 0; ) {
    const codes = [];
    // Some pieces are short, as keystrokes are.
    const length = next() % 8 === 0 ? (next() % 8) + 1 : (next() % longest) + 1;
    for (let at = 0; at < length; at++) {
      const [first, count] = KINDS[next() % KINDS.length];
      codes.push(first + (next() % count));
    }
    let text = "";
    for (let at = 0; at < codes.length; at += 4096) text += String.fromCodePoint(...codes.slice(at, at + 4096));
    // The last piece makes the size exact.
    if (encoder.encode(text).length > left) text = "x".repeat(Math.min(left, 1000));
    left -= encoder.encode(text).length;
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

/** Opens a terminal and keeps what it prints and goes through. */
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

async function run(terminal, seen, command, sign) {
  terminal.write(`${command}\r`);
  await until(`${command} to say ${sign}`, () => seen.text.includes(sign), PATIENCE);
}

/** The ways to write any amount of text. */
const ways = {
  async writable(terminal, pieces) {
    const writer = terminal.writable.getWriter();
    for (const piece of pieces) await writer.write(piece);
    await writer.close();
  },
  async write(terminal, pieces) {
    for (const piece of pieces) {
      while (!terminal.write(piece)) {
        // Room comes with acknowledgments, and while the link is unstable there may be none.
        if (terminal.refusal === "disconnected") throw new Error("the link is down");
        await terminal.drained();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await terminal.drained();
  },
  /** All at once, as a paste. */
  async paste(terminal, pieces) {
    if (!terminal.write([...pieces].join(""))) throw new Error(`refused: ${terminal.refusal}`);
    await terminal.drained();
  },
};

/**
 * Writes random text to a program that reads it slowly, and compares what both have counted.
 *
 * @param {{ way: keyof typeof ways, seed: number, bytes: number, program: string }} given
 */
export async function writeAll(sdk, connection, { way, seed, bytes, program }) {
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
  await ways[way](terminal, pieces());
  const drained = performance.now() - began;
  await until("the program to have read all", () => /\[read [0-9a-f]{64}\]/.test(seen.text), PATIENCE);
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

/** Writes random text to a program that repeats it, and reads what comes back meanwhile. */
export async function echoAll(sdk, connection, { seed, bytes }) {
  const terminal = await sdk.Orgo.connect(connection).terminal();
  terminal.write("stty raw -echo; echo rea''dy; exec cat\r");
  let greeting = "";
  while (!greeting.includes("ready\n")) greeting += await terminal.read({ timeout: PATIENCE });
  const encoder = new TextEncoder();
  const [written, read] = [[], []];
  const reading = (async () => {
    for (let left = bytes; left > 0; left -= read.at(-1).length)
      read.push(encoder.encode(await terminal.read({ timeout: PATIENCE })));
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

/** Writes numbered text until the link refuses it, and on in the shell that comes after that. */
export async function writeUntilBroken(sdk, connection, { file }) {
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
  await until("another shell", () => seen.reconnections.length > 0, PATIENCE);
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
