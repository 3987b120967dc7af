// A page that plays what a server of the test sends: a tone of 440 Hz. The test calls its functions.
import { Orgo } from "orgo-sdk";
import { loudness, strongest } from "../../support/tone.mjs";
import { until } from "../../support/wait.mjs";
import { equal, ok } from "../../scenarios/check.mjs";

const PITCH = 440;
/** The largest step of the tone, 0.5 loud at 24 kHz, and of the fades and the spread steps that may add to it. */
const SMOOTH = 2 * Math.PI * (PITCH / 24_000) * 0.5 + 3 / (0.005 * 24_000);

const open = (url) =>
  Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: url }).audio();

/** What comes out of a player. */
function ears(player) {
  const { context } = player.node;
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  player.node.connect(analyser);
  const heard = new Float32Array(analyser.fftSize);
  const listen = () => {
    analyser.getFloatTimeDomainData(heard);
    return heard;
  };
  return {
    tone: () =>
      until("the tone", () => {
        const { frequency, share } = strongest(listen(), context.sampleRate);
        return share > 0.98 && Math.abs(frequency - PITCH) < PITCH * 0.012;
      }),
    silence: () => until("silence", () => loudness(listen()) === 0),
    loudness: () => loudness(listen()),
  };
}

function balanced({ received, played, buffered, dropped }) {
  equal(received, played + buffered + dropped, "the samples that are accounted for");
}

const acts = {
  async "the tone is played, paused, made softer and stopped, without a click"({ url, transport }) {
    const audio = await open(url);
    const states = [];
    const player = await audio.play({ volume: 0.5, target: 80 });
    player.on("state", (state) => states.push(state));
    const { context } = player.node;
    await context.audioWorklet.addModule(new URL("./tap.js?no-inline", import.meta.url));
    const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
    player.node.connect(tap);
    const smooth = async (when) => {
      const largest = await new Promise((resolve) => {
        tap.port.onmessage = ({ data }) => resolve(data);
        tap.port.postMessage("ask");
      });
      ok(largest < SMOOTH, `a step of ${largest} ${when}`);
    };

    equal(player.transport, transport, "how the samples come to the worklet");
    const { tone, silence, loudness } = ears(player);
    await tone();
    await until("the state", () => player.state === "playing");
    await until("half of the loudness", () => Math.abs(loudness() - 0.25 / Math.SQRT2) < 0.01);
    await smooth("at the start");
    player.volume = 1;
    await until("the volume", () => loudness() > 0.34);
    await smooth("at a change of the volume");

    player.pause();
    equal(player.state, "paused", "the state");
    await silence();
    const { dropped } = player.stats;
    await until("what comes to be dropped", () => player.stats.dropped > dropped + 2_400);
    balanced(player.stats);
    await player.resume();
    await tone();
    await smooth("at a pause and its end");
    player.muted = true;
    await silence();
    player.muted = false;
    await tone();

    ok(player.stats.target >= 80, `a target of ${player.stats.target} ms`);
    ok(player.stats.peak > 0.4 && player.stats.rms > 0.3, "the level");
    balanced(player.stats);
    equal(player.stream.getAudioTracks().length, 1, "the tracks of the stream");
    equal(player.stream, player.stream, "the stream of each time");
    await player.setOutput("");
    await player.stop();
    balanced(player.stats);
    equal(player.state, "stopped", "the state");
    ok(states.includes("playing") && states.includes("paused"), `the states ${states}`);
    await audio.close();
  },

  async "a context of the page is left open, resampled to, and may sleep at first"({ url }) {
    const context = new AudioContext({ sampleRate: 44_100 });
    await context.suspend();
    const audio = await open(url);
    const player = await audio.play({ context });
    equal(player.state, "suspended", "the state");
    await player.resume();
    await ears(player).tone();
    await until("the state", () => player.state === "playing");
    await audio.close();
    await until("the player to end with the channel", () => player.state === "stopped");
    equal(context.state, "running", "the state of the page's context");
    await context.close();
  },

  async "after a player the samples come to the page again, and another player can take them"({ url }) {
    const audio = await open(url);
    for await (const { samples, sample_rate, channels } of audio) {
      equal(sample_rate, 24_000, "the rate");
      equal(channels, 1, "the channels");
      if (loudness(samples) > 0.3) break;
    }
    const first = await audio.play();
    await ears(first).tone();
    await first.stop();
    let frames = 0;
    for await (const { samples } of audio) {
      frames += samples.length;
      if (frames > 4_800) break;
    }
    const second = await audio.play();
    await ears(second).tone();
    const { received, delivered, buffered, dropped } = audio.stats;
    equal(received, delivered + buffered + dropped, "the samples that are accounted for");
    await audio.close();
    equal(audio.state.status, "closed", "the state");
    for await (const { samples } of audio) ok(samples.length > 0, "a piece without samples");
  },

  async "a broken connection is dialled again, and the player goes on"({ url, drop }) {
    const audio = await open(url);
    const player = await audio.play();
    const { tone } = ears(player);
    await tone();
    await fetch(drop, { method: "POST" });
    await until("a new connection", () => audio.counters.redials === 1 && audio.state.status === "open");
    const { played } = player.stats;
    await until("sound from it", () => player.stats.played > played + 4_800);
    await tone();
    balanced(player.stats);
    await audio.close();
  },

  async "what is refused is refused as everywhere"({ url }) {
    const refusal = async (work) => {
      try {
        await work();
      } catch ({ name, field }) {
        return `${name} ${field}`;
      }
      return "nothing";
    };
    const computer = Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: url });
    equal(await refusal(() => computer.audio({ sample_rate: 7 })), "InvalidParameterError sample_rate", "the refusal");
    const audio = await computer.audio();
    equal(await refusal(() => audio.play({ target: 5 })), "InvalidParameterError target", "the refusal");
    await audio.close();
  },
};

globalThis.actNames = Object.keys(acts);
globalThis.act = (name, given) => acts[name](given);
