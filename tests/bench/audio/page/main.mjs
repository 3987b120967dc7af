// Three ways to play the same frames, each in a page of its own.
import { Orgo } from "orgo-sdk";

/** How far ahead the way with buffers plays, and the plain ring is filled, in seconds. */
const LEAD = 0.06;

/** The package; the page's headers decide which transport it takes. */
async function orgo(context, url) {
  const connection = { version: 1, computer_id: "c", password: "p", realtime_url: url };
  const audio = await Orgo.connect(connection).audio();
  const player = await audio.play({ context });
  const targets = [];
  player.on("stats", ({ target }) => targets.push([Date.now(), target]));
  return {
    node: player.node,
    figures: () => ({ ...player.stats, transport: player.transport, targets: targets.splice(0) }),
  };
}

const ways = {
  port: orgo,
  ring: orgo,

  /** The way that most write it: a buffer source for each frame, one after the other. */
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
    return { node, figures: () => ({}) };
  },

  /** A socket in the page and a plain ring in a worklet. */
  async worklet(context, url) {
    await context.audioWorklet.addModule(new URL("./ring.js?no-inline", import.meta.url));
    const node = new AudioWorkletNode(context, "ring", { numberOfInputs: 0, outputChannelCount: [1] });
    node.connect(context.destination);
    listen(url, (samples) => node.port.postMessage(samples, [samples.buffer]));
    return { node, figures: () => ({}) };
  },
};

function listen(url, take) {
  const socket = new WebSocket(url.replace("{channel}", "audio"));
  socket.binaryType = "arraybuffer";
  let rate = 24_000;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") rate = JSON.parse(data).sample_rate ?? rate;
    else
      take(
        Float32Array.from(new Int16Array(data), (sample) => sample / 32_768),
        rate,
      );
  };
}

const blocks = [];
let current;

/** Begins to play, and to listen to what is played. */
globalThis.begin = async ({ way, url, contextRate, block }) => {
  const context = new AudioContext({ sampleRate: contextRate, latencyHint: "interactive" });
  await context.audioWorklet.addModule(new URL("./tap.js?no-inline", import.meta.url));
  current = await ways[way](context, url);
  const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
  tap.port.onmessage = ({ data }) => blocks.push(...data);
  current.node.connect(tap);
  if (block) {
    // A page with work to do.
    setTimeout(() => {
      setInterval(() => {
        const end = performance.now() + block.length;
        while (performance.now() < end);
      }, block.every);
    }, block.offset);
  }
};

/** What was heard since this was asked last, and what the player says. */
globalThis.collect = () => ({ blocks: blocks.splice(0), figures: current.figures() });
