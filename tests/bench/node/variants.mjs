// The workloads of the benchmark, each in several variants: through this package, and as a program writes it with another
// library. A variant returns the number of operations, and may return latencies in milliseconds.
import { Buffer } from "node:buffer";
import { createReadStream, mkdtempSync, openAsBlob, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const KEY = "sk_bench";
const CLICK = { x: 640, y: 360 };

/** Loads a library at its first use, so that a process contains only the library that it measures. */
const load = {
  sdk: () => import(process.env.ORGO_BENCH_SDK ?? "orgo-sdk"),
  undici: () => import("undici"),
  ws: async () => createRequire(import.meta.url)("ws"),
  kernel: async () => (await import("@onkernel/sdk")).default,
};

/** Calls `work` `count` times, with `parallel` calls at once, and returns the time of each call. */
async function repeat(count, parallel, work) {
  const times = [];
  let left = count;
  const runner = async () => {
    while (left-- > 0) {
      const start = performance.now();
      await work();
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: parallel }, runner));
  return { operations: count, times };
}

async function sdkClient({ origin }, socket = "1/1/0") {
  const { Orgo } = await load.sdk();
  const orgo = new Orgo({
    apiKey: KEY,
    baseUrl: `http://${origin}/api`,
    realtimeUrl: `ws://${origin}/ws/${socket}/{computer_id}/{channel}`,
  });
  return { orgo, computer: orgo.computer("c1") };
}

const json = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

/** The functions that make the calls, for each library. */
const callers = {
  async sdk(peer) {
    const { computer } = await sdkClient(peer);
    return { click: () => computer.click(CLICK), screenshot: () => computer.screenshot() };
  },
  async undici({ origin }) {
    const { request } = await load.undici();
    const call = async (method, path, body) => {
      const response = await request(`http://${origin}/api/computers/c1/${path}`, { method, headers: json, body });
      if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode}`);
      return response.body.json();
    };
    return {
      click: () => call("POST", "click", JSON.stringify(CLICK)),
      screenshot: async () => decode(await call("GET", "screenshot?response_format=base64")),
    };
  },
  async fetch({ origin }) {
    const call = async (method, path, body) => {
      const response = await fetch(`http://${origin}/api/computers/c1/${path}`, { method, headers: json, body });
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return response.json();
    };
    return {
      click: () => call("POST", "click", JSON.stringify(CLICK)),
      screenshot: async () => decode(await call("GET", "screenshot?response_format=base64")),
    };
  },
  async kernel({ origin }) {
    const Kernel = await load.kernel();
    const kernel = new Kernel({ apiKey: KEY, baseURL: `http://${origin}/api` });
    return { click: () => kernel.browsers.computer.clickMouse("c1", CLICK) };
  },
};

function decode({ image }) {
  return Buffer.from(image.slice(image.indexOf(",") + 1), "base64");
}

function calls(name, libraries, count, parallel = 1) {
  const variant = async (library, peer, meter) => {
    const work = (await callers[library](peer))[name];
    await repeat(Math.ceil(count / 20), parallel, work);
    meter.start();
    return repeat(count, parallel, work);
  };
  return Object.fromEntries(libraries.map((library) => [library, (peer, meter) => variant(library, peer, meter)]));
}

/** Opens a socket with `ws`, as a program that follows the documentation of the service does. */
async function openSocket({ origin }, socket, kind, password = "pass") {
  const WebSocket = await load.ws();
  const connection = new WebSocket(`ws://${origin}/ws/${socket}/c1/${kind}?token=${password}`);
  await new Promise((resolve, reject) => connection.once("open", resolve).once("error", reject));
  connection.send('{"type":"ping"}');
  return connection;
}

function terminal(size, count) {
  const total = size * count;
  const socket = `${count}/${size}/0`;
  return {
    async sdk(peer, meter) {
      const { computer } = await sdkClient(peer, socket);
      const terminal = await computer.terminal();
      meter.start();
      terminal.write("go");
      let received = 0;
      for await (const text of terminal) {
        received += text.length;
        if (received >= total) break;
      }
      terminal.close();
      return { operations: count, lost: total - received };
    },
    async ws(peer, meter) {
      const connection = await openSocket(peer, socket, "terminal");
      meter.start();
      connection.send('{"type":"input","data":"go"}');
      let received = 0;
      await new Promise((resolve) => {
        connection.on("message", (data) => {
          const message = JSON.parse(data);
          if (message.type === "output") received += message.data.length;
          if (received >= total) resolve();
        });
      });
      connection.terminate();
      return { operations: count, lost: total - received };
    },
  };
}

function events(rate, count) {
  const socket = `${count}/20/${rate}`;
  return {
    async sdk(peer, meter) {
      const { computer } = await sdkClient(peer, socket);
      const events = await computer.events([]);
      let missed = 0;
      events.on("gap", (count) => (missed += count));
      meter.start();
      events.subscribe(["window_focus"]);
      let received = 0;
      for await (const _ of events) {
        received += 1;
        if (received + missed >= count) break;
      }
      events.close();
      return { operations: count, lost: count - received };
    },
    async ws(peer, meter) {
      const connection = await openSocket(peer, socket, "events");
      meter.start();
      connection.send('{"type":"subscribe","event_types":["window_focus"]}');
      let received = 0;
      await new Promise((resolve) => {
        connection.on("message", (data) => {
          if (JSON.parse(data).type === "event") received += 1;
          if (received >= count) resolve();
        });
      });
      connection.terminate();
      return { operations: count, lost: count - received };
    },
  };
}

/** Receives the audio of `connections` computers for some seconds: 50 messages of 20 ms per second each. */
function audio(connections, seconds, params) {
  const socket = `${seconds * 50}/960/50`;
  const total = seconds * 50 * 480;
  return {
    async sdk(peer, meter) {
      const { computer } = await sdkClient(peer, socket);
      meter.start();
      const receive = async () => {
        const audio = await computer.audio(params);
        let received = 0;
        for await (const { samples } of audio) {
          received += samples.length;
          if (received >= total) break;
        }
        audio.close();
      };
      await Promise.all(Array.from({ length: connections }, receive));
      return { operations: connections * seconds * 50 };
    },
    async ws(peer, meter) {
      await load.ws();
      meter.start();
      const receive = async () => {
        const connection = await openSocket(peer, socket, "audio");
        let received = 0;
        await new Promise((resolve) => {
          connection.on("message", (data, isBinary) => {
            if (!isBinary) return;
            received += toSamples(data).length;
            if (received >= total) resolve();
          });
        });
        connection.terminate();
      };
      await Promise.all(Array.from({ length: connections }, receive));
      return { operations: connections * seconds * 50 };
    },
  };
}

/** Converts 16-bit PCM to samples from -1 to 1. */
function toSamples(bytes) {
  const samples = new Float32Array(bytes.length / 2);
  for (let index = 0; index < samples.length; index += 1) samples[index] = bytes.readInt16LE(index * 2) / 32768;
  return samples;
}

/** Clicks while a channel of the same process receives as much as it can. */
function beside(kind, count) {
  return {
    async sdk(peer, meter) {
      const { computer } = await sdkClient(peer, `100000000/${kind === "terminal" ? 1024 : 20}/0`);
      await repeat(50, 1, () => computer.click(CLICK));
      const calm = await repeat(count, 1, () => computer.click(CLICK));
      const channel = kind === "terminal" ? await computer.terminal() : await computer.events([]);
      if (kind === "terminal") channel.write("go");
      else channel.subscribe(["window_focus"]);
      const reading = (async () => {
        for await (const _ of channel);
      })();
      await new Promise((resolve) => setTimeout(resolve, 300));
      meter.start();
      const result = await repeat(count, 1, () => computer.click(CLICK));
      const lost = kind === "events" ? channel.counters.dropped : 0;
      await channel.close();
      await reading;
      return { ...result, calm: calm.times, lost };
    },
    async undici(peer, meter) {
      const { click } = await callers.undici(peer);
      await repeat(50, 1, click);
      const calm = await repeat(count, 1, click);
      const connection = await openSocket(peer, `100000000/${kind === "terminal" ? 1024 : 20}/0`, kind);
      connection.on("message", (data) => JSON.parse(data));
      connection.send(kind === "terminal" ? '{"type":"input","data":"go"}' : '{"type":"subscribe","event_types":[]}');
      await new Promise((resolve) => setTimeout(resolve, 300));
      meter.start();
      const result = await repeat(count, 1, click);
      connection.terminate();
      return { ...result, calm: calm.times };
    },
  };
}

/**
 * Opens the three channels of many computers, each of which sends a few messages per second. This package gets
 * the password of each computer. The program with `ws` does so, with undici, only if its name is `ws and undici`.
 */
function fleet(computers, seconds, base = "ws") {
  const socket = `${seconds * 5}/200/5`;
  const kinds = ["terminal", "events", "audio"];
  const withPasswords = base === "ws and undici";
  return {
    async sdk(peer, meter) {
      const { orgo } = await sdkClient(peer, socket);
      meter.start();
      const use = async (computer) => {
        const [terminal, events, audio] = [await computer.terminal(), await computer.events([]), await computer.audio()];
        terminal.write("go");
        events.subscribe(["window_focus"]);
        const read = async (channel, total, size) => {
          let received = 0;
          for await (const item of channel) {
            received += size(item);
            if (received >= total) break;
          }
        };
        await Promise.all([
          read(terminal, seconds * 1000, (text) => text.length),
          read(events, seconds * 5, () => 1),
          read(audio, seconds * 500, ({ samples }) => samples.length),
        ]);
      };
      await Promise.all(Array.from({ length: computers }, (_, index) => use(orgo.computer(`c${index}`))));
      return { operations: computers * 3 * seconds * 5 };
    },
    async [base](peer, meter) {
      await load.ws();
      if (withPasswords) await load.undici();
      meter.start();
      const use = async (kind, password) => {
        const connection = await openSocket(peer, socket, kind, password);
        connection.send(kind === "terminal" ? '{"type":"input","data":"go"}' : '{"type":"subscribe","event_types":[]}');
        let received = 0;
        await new Promise((resolve) => {
          connection.on("message", (data, isBinary) => {
            if (isBinary ? toSamples(data).length > 0 : ["output", "event"].includes(JSON.parse(data).type)) received += 1;
            if (received >= seconds * 5) resolve();
          });
        });
      };
      const useAll = async (computer) => {
        const password = withPasswords ? await fetchPassword(peer, computer) : undefined;
        await Promise.all(kinds.map((kind) => use(kind, password)));
      };
      await Promise.all(Array.from({ length: computers }, (_, index) => useAll(`c${index}`)));
      return { operations: computers * 3 * seconds * 5 };
    },
  };
}

/** Gets the password of a computer, without which the service refuses its channels. */
async function fetchPassword({ origin }, computer) {
  const { request } = await load.undici();
  const { statusCode, body } = await request(`http://${origin}/api/computers/${computer}/vnc-password`, { headers: json });
  if (statusCode !== 200) throw new Error(`vnc-password: ${statusCode}`);
  return (await body.json()).password;
}

function upload(bytes) {
  const content = () => new Uint8Array(bytes).fill(7);
  return {
    async sdk(peer, meter) {
      const { orgo } = await sdkClient(peer);
      const file = content();
      meter.start();
      await orgo.files.upload({ workspace_id: "w1", file, name: "a.bin" });
      return { operations: 1 };
    },
    async fetch({ origin }, meter) {
      const file = content();
      meter.start();
      const form = new FormData();
      form.set("projectId", "w1");
      form.set("file", new Blob([file]), "a.bin");
      const headers = { authorization: `Bearer ${KEY}` };
      const response = await fetch(`http://${origin}/api/files/upload`, { method: "POST", headers, body: form });
      await response.json();
      return { operations: 1 };
    },
  };
}

/** Uploads a file of the disk: by its path, as a Blob of the file, or as a stream. */
function uploadFile(form, bytes) {
  const withFile = (run) => async (peer, meter) => {
    const folder = mkdtempSync(join(tmpdir(), "orgo-bench-"));
    try {
      const path = join(folder, "a.bin");
      writeFileSync(path, "");
      truncateSync(path, bytes);
      return await run(peer, meter, path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const file = { path: (path) => ({ path }), blob: (path) => openAsBlob(path), stream: (path) => createReadStream(path) }[form];
  return {
    sdk: withFile(async (peer, meter, path) => {
      const { orgo } = await sdkClient(peer);
      meter.start();
      await orgo.files.upload({ workspace_id: "w1", file: await file(path), name: "a.bin" }, { timeout: 600_000 });
      return { operations: 1 };
    }),
    fetch: withFile(async ({ origin }, meter, path) => {
      // The first use of `fetch` loads it.
      await (await fetch(`http://${origin}/api/computers/c1`, { headers: json })).json();
      meter.start();
      const headers = { authorization: `Bearer ${KEY}` };
      const form = new FormData();
      form.set("projectId", "w1");
      form.set("file", await openAsBlob(path), "a.bin");
      const response = await fetch(`http://${origin}/api/files/upload`, { method: "POST", headers, body: form });
      await response.json();
      return { operations: 1 };
    }),
  };
}

/** Downloads a file of any size as a stream. */
function downloadStream(bytes) {
  const count = async (stream) => {
    let received = 0;
    for await (const piece of stream) received += piece.length;
    return { operations: 1, lost: bytes - received };
  };
  return {
    async sdk(peer, meter) {
      const { orgo } = await sdkClient(peer);
      meter.start();
      return count(await orgo.files.stream(`f${bytes}`));
    },
    async undici({ origin }, meter) {
      const { request } = await load.undici();
      meter.start();
      const link = await request(`http://${origin}/api/files/download?id=f${bytes}`, { headers: json });
      const { url } = await link.body.json();
      return count((await request(new URL(url, `http://${origin}`))).body);
    },
    async fetch({ origin }, meter) {
      meter.start();
      const link = await fetch(`http://${origin}/api/files/download?id=f${bytes}`, { headers: json });
      const { url } = await link.json();
      return count((await fetch(new URL(url, `http://${origin}`))).body);
    },
  };
}

/** Downloads a file of 100 MB. */
function download() {
  return {
    async sdk(peer, meter) {
      const { orgo } = await sdkClient(peer);
      meter.start();
      return { operations: 1, lost: 104_857_600 - (await orgo.files.bytes("f104857600")).length };
    },
    async undici({ origin }, meter) {
      const { request } = await load.undici();
      meter.start();
      const link = await request(`http://${origin}/api/files/download?id=f104857600`, { headers: json });
      const { url } = await link.body.json();
      const { body } = await request(new URL(url, `http://${origin}`));
      return { operations: 1, lost: 104_857_600 - (await body.arrayBuffer()).byteLength };
    },
  };
}

/** Loads a library and makes a click. */
function firstClick(libraries) {
  const variant = async (library, peer, meter) => {
    meter.start();
    return repeat(1, 1, async () => (await callers[library](peer)).click());
  };
  return Object.fromEntries(libraries.map((library) => [library, (peer, meter) => variant(library, peer, meter)]));
}

/** The workloads by name. `base` is the variant to which the others are compared. `quick` is a smaller size for tests. */
export const workloads = (quick = false) => {
  const size = (full, small) => (quick ? small : full);
  return {
    "click, 1 at a time": { base: "undici", variants: calls("click", ["sdk", "undici", "fetch", "kernel"], size(2000, 20)) },
    "click, 16 at once": { base: "undici", variants: calls("click", ["sdk", "undici", "fetch"], size(4000, 32), 16) },
    "screenshot, 900 kB": { base: "undici", variants: calls("screenshot", ["sdk", "undici", "fetch"], size(60, 2)) },
    "terminal, 64 B": { base: "ws", variants: terminal(64, size(400_000, 2000)) },
    "terminal, 1 kB": { base: "ws", variants: terminal(1024, size(60_000, 200)) },
    "terminal, 16 kB": { base: "ws", variants: terminal(16_384, size(4000, 20)) },
    "events, flood": { base: "ws", variants: events(0, size(200_000, 5000)) },
    "events, 20,000/s": { base: "ws", variants: events(20_000, size(60_000, 2000)) },
    "events, 1,000/s": { base: "ws", variants: events(1000, size(3000, 100)) },
    "audio, 200 connections": { base: "ws", variants: audio(size(200, 4), size(3, 1), {}) },
    "audio, 200 connections, batches of 100 ms": { base: "ws", variants: audio(size(200, 4), size(3, 1), { batch: 100 }) },
    "500 computers with three channels each": { base: "ws", variants: fleet(size(500, 5), size(4, 1)) },
    "500 computers with passwords": { base: "ws and undici", variants: fleet(size(500, 5), size(4, 1), "ws and undici") },
    "upload, 100 MB": { base: "fetch", variants: upload(size(100 << 20, 1 << 20)) },
    "download, 100 MB": { base: "undici", variants: download() },
    "upload, 1 GB, a path": { base: "fetch", variants: uploadFile("path", size(1 << 30, 4 << 20)) },
    "upload, 1 GB, a Blob of a file": { base: "fetch", variants: uploadFile("blob", size(1 << 30, 4 << 20)) },
    "upload, 1 GB, a Node stream": { base: "fetch", variants: uploadFile("stream", size(1 << 30, 4 << 20)) },
    "download, 1 GB, as a stream": { base: "undici", variants: downloadStream(size(1 << 30, 4 << 20)) },
    "import and first click": { base: "fetch", variants: firstClick(["sdk", "fetch", "undici", "kernel"]) },
    "click next to an event flood": { base: "undici", variants: beside("events", size(100, 10)) },
    "click next to a terminal flood": { base: "undici", variants: beside("terminal", size(100, 10)) },
  };
};
