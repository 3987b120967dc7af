// The players that the benchmark compares. Each runs in its own page and plays the same frames.
import { Orgo } from "orgo-sdk";

/** The duration that the player with buffer sources buffers, in seconds. */
const LEAD = 0.06;

/** Starts the player of the package. The page's headers determine which transport the player uses. */
async function orgo(context, url) {
  const connection = { version: 1, computer_id: "c", password: "p", realtime_url: url };
  const audio = await Orgo.connect(connection).audio();
  const player = await audio.play({ context });
  const targets = [];
  player.on("stats", ({ target }) => targets.push([Date.now(), target]));
  return {
    node: player.node,
    stats: () => ({ ...player.stats, transport: player.transport, targets: targets.splice(0) }),
  };
}

const players = {
  port: orgo,
  ring: orgo,

  /** Starts the usual implementation: one buffer source for each frame. */
  async buffers(context, url) {
    const node = new GainNode(context);
    node.connect(context.destination);
    let next = 0;
    listen(url, (samples, rate) => {
      const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
      buffer.copyToChannel(samples, 0);
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(node);
      if (next < context.currentTime) next = context.currentTime + LEAD;
      source.start(next);
      next += buffer.duration;
    });
    return { node, stats: () => ({}) };
  },

  /** Starts a player with a socket in the page and a plain ring buffer in a worklet. */
  async worklet(context, url) {
    await context.audioWorklet.addModule(new URL("./ring.js?no-inline", import.meta.url));
    const node = new AudioWorkletNode(context, "ring", { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    listen(url, (samples) => node.port.postMessage(samples, [samples.buffer]));
    return { node, stats: () => ({}) };
  },
};

function listen(url, onSamples) {
  const socket = new WebSocket(url.replace("{channel}", "audio"));
  socket.binaryType = "arraybuffer";
  let rate = 24_000;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") rate = JSON.parse(data).sample_rate ?? rate;
    else
      onSamples(
        Float32Array.from(new Int16Array(data), (sample) => sample / 32_768),
        rate,
      );
  };
}

const blocks = [];
let current;

/** Starts a player, and records its output. */
globalThis.begin = async ({ player, url, contextRate, block }) => {
  const context = new AudioContext({ sampleRate: contextRate, latencyHint: "interactive" });
  await context.audioWorklet.addModule(new URL("./tap.js?no-inline", import.meta.url));
  current = await players[player](context, url);
  const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
  tap.port.onmessage = ({ data }) => blocks.push(...data);
  current.node.connect(tap);
  if (block) {
    // Blocks the main thread of the page periodically.
    setTimeout(() => {
      setInterval(() => {
        const end = performance.now() + block.length;
        while (performance.now() < end);
      }, block.every);
    }, block.offset);
  }
};

/** Returns the blocks since the last call, and the player's statistics. */
globalThis.collect = () => ({ blocks: blocks.splice(0), stats: current.stats() });
