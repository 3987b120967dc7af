// A page that plays a tone of 440 Hz from the test's server. The test calls its functions.
import { Orgo } from "orgo-sdk";
import { equal, ok } from "../../scenarios/check.mjs";
import { loudness, signalToNoise, strongest } from "../../support/tone.mjs";
import { until } from "../../support/wait.mjs";

const PITCH = 440;
/** The largest step between samples of a smooth output: the tone (amplitude 0.5, 24 kHz), fades, smoothed discontinuities. */
const MAX_STEP = 2 * Math.PI * (PITCH / 24_000) * 0.5 + 3 / (0.005 * 24_000);

const open = (url) => Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: url }).audio();

/** Analyzes the output of a player. */
function analyze(player) {
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

/** Connects a tap that receives every sample of a player's output. */
async function tapInto(player) {
  const { context } = player.node;
  await context.audioWorklet.addModule(new URL("./tap.js?no-inline", import.meta.url));
  const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
  player.node.connect(tap);
  const request = (message) =>
    new Promise((resolve) => {
      tap.port.onmessage = ({ data }) => resolve(data);
      tap.port.postMessage(message);
    });
  return {
    async smooth(when) {
      const largest = await request("step");
      ok(largest < MAX_STEP, `a step of ${largest} ${when}`);
    },
    record: (samples) => request(samples),
  };
}

const control = (controls, command) => fetch(`${controls}/${command}`, { method: "POST" });

function balanced({ received, played, buffered, dropped }) {
  equal(received, played + buffered + dropped, "the sum of the counted samples");
}

const tests = {
  async "playing, pausing, changing the volume and stopping cause no clicks"({ url, transport }) {
    const audio = await open(url);
    const states = [];
    const context = new AudioContext({ sampleRate: 24_000 });
    const player = await audio.play({ context, volume: 0.5, target: 80 });
    player.on("state", (state) => states.push(state));
    const { smooth } = await tapInto(player);

    equal(player.transport, transport, "the transport");
    const { tone, silence, loudness } = analyze(player);
    await tone();
    await until("the state", () => player.state === "playing");
    await until("half the loudness", () => Math.abs(loudness() - 0.25 / Math.SQRT2) < 0.01);
    await smooth("at the start");
    player.volume = 1;
    await until("the volume", () => loudness() > 0.34);
    await smooth("at a change of the volume");

    player.pause();
    equal(player.state, "paused", "the state");
    await silence();
    const { dropped } = player.stats;
    await until("the received samples to be dropped", () => player.stats.dropped > dropped + 2_400);
    balanced(player.stats);
    await player.resume();
    await tone();
    await smooth("at a pause and its end");
    player.muted = true;
    await silence();
    player.muted = false;
    await tone();
    await smooth("at a change of muting");

    ok(player.stats.target >= 80, `a target of ${player.stats.target} ms`);
    ok(player.stats.peak > 0.4 && player.stats.rms > 0.3, "the level");
    balanced(player.stats);
    await player.stop();
    await smooth("at the end");
    await context.close();
    balanced(player.stats);
    equal(player.state, "stopped", "the state");
    ok(states.includes("playing") && states.includes("paused"), `the states ${states}`);
    await audio.close();
  },

  async "a context of the page can be suspended, sets the sample rate and stays open"({ url }) {
    for (const sampleRate of [44_100, 48_000]) {
      const context = new AudioContext({ sampleRate });
      await context.suspend();
      const audio = await open(url);
      const player = await audio.play({ context });
      equal(player.state, "suspended", "the state");
      await player.resume();
      await analyze(player).tone();
      await until("the state", () => player.state === "playing");
      await audio.close();
      await until("the player to end with the channel", () => player.state === "stopped");
      equal(context.state, "running", "the state of the page's context");
      await context.close();
    }
  },

  async "following the clock of the sender keeps a signal-to-noise ratio of 60 dB"({ url }) {
    for (const sampleRate of [24_000, 44_100]) {
      const context = new AudioContext({ sampleRate });
      const audio = await open(url);
      const player = await audio.play({ context });
      const { record } = await tapInto(player);
      await analyze(player).tone();
      // Measures 100 periods. Over a longer time, inaudible changes of the playback speed would count as noise.
      const length = Math.round((100 * sampleRate) / PITCH);
      const ratio = async () => signalToNoise(await record(length), sampleRate, PITCH);
      // On a busy machine, samples can be lost during a measurement.
      await until(`60 dB at ${sampleRate} per second`, async () => (await ratio()) > 60);
      await audio.close();
      await context.close();
    }
  },

  async "a recorder gets the same audio as the output device"({ url }) {
    const audio = await open(url);
    const player = await audio.play();
    await analyze(player).tone();
    const { stream } = player;
    equal(stream.getAudioTracks().length, 1, "the tracks of the stream");
    equal(player.stream, stream, "the stream of a second access");
    const recorder = new MediaRecorder(stream);
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.start(100);
    const { context } = player.node;
    const decoded = async () => context.decodeAudioData(await new Blob(pieces).arrayBuffer()).catch(() => undefined);
    // The encoder adds silence to the start of the recording.
    await until("the tone in the recording", async () => {
      const samples = (await decoded())?.getChannelData(0).slice(-8192) ?? [];
      if (samples.length < 8192) return false;
      const { frequency, share } = strongest(samples, context.sampleRate);
      return share > 0.95 && Math.abs(frequency - PITCH) < PITCH * 0.012;
    });
    recorder.stop();
    await audio.close();
  },

  async "the audio format can change during playback"({ url, controls }) {
    const audio = await open(url);
    const player = await audio.play();
    const formats = [];
    audio.on("started", ({ sample_rate, channels }) => formats.push(`${sample_rate}/${channels}`));
    const { tone } = analyze(player);
    const { smooth } = await tapInto(player);
    await tone();
    for (const format of ["other", "usual"]) {
      await control(controls, format);
      const { played } = player.stats;
      await until("audio in the new format", () => player.stats.played > played + 9_600);
      await tone();
      await smooth("at a change of the format");
      balanced(player.stats);
    }
    await until("the formats to be reported", () => formats.join().endsWith("48000/2,24000/1"));
    await audio.close();
  },

  async "the page can select the output device"({ url }) {
    const audio = await open(url);
    const player = await audio.play();
    const errorOf = (id) =>
      player.setOutput(id).then(
        () => "nothing",
        ({ name }) => name,
      );
    if (!("setSinkId" in player.node.context)) {
      equal(await errorOf(""), "BindingError", "the error if the browser cannot select outputs");
      await audio.close();
      return;
    }
    const devices = await navigator.mediaDevices.enumerateDevices();
    const outputs = devices.filter(({ kind, deviceId }) => kind === "audiooutput" && deviceId !== "default");
    ok(outputs.length > 0, `no outputs among ${devices.map(({ kind }) => kind)}`);
    const { tone } = analyze(player);
    for (const { deviceId } of [...outputs, { deviceId: "" }]) {
      await player.setOutput(deviceId);
      equal(player.node.context.sinkId, deviceId, "the output device");
      await tone();
    }
    equal(await errorOf("nowhere"), "BindingError", "the error for an unknown device");
    await tone();
    await audio.close();
  },

  async "after a player stops, the page receives the samples and can start another player"({ url }) {
    const audio = await open(url);
    for await (const { samples, sample_rate, channels } of audio) {
      equal(sample_rate, 24_000, "the rate");
      equal(channels, 1, "the channels");
      if (loudness(samples) > 0.3) break;
    }
    const first = await audio.play();
    await analyze(first).tone();
    await first.stop();
    let frames = 0;
    for await (const { samples } of audio) {
      frames += samples.length;
      if (frames > 4_800) break;
    }
    const second = await audio.play();
    await analyze(second).tone();
    const { received, delivered, buffered, dropped } = audio.stats;
    equal(received, delivered + buffered + dropped, "the sum of the counted samples");
    await audio.close();
    equal(audio.state.status, "closed", "the state");
    for await (const { samples } of audio) ok(samples.length > 0, "a piece without samples");
  },

  async "the channel reconnects and the player continues"({ url, controls }) {
    const audio = await open(url);
    const player = await audio.play();
    const { tone } = analyze(player);
    await tone();
    const { smooth } = await tapInto(player);
    await control(controls, "drop");
    await until("a new connection", () => audio.counters.reconnects === 1 && audio.state.status === "open");
    const { played } = player.stats;
    await until("audio from the new connection", () => player.stats.played > played + 4_800);
    await tone();
    await smooth("at the gap");
    balanced(player.stats);
    await audio.close();
  },

  async "invalid options cause the same errors as on other platforms"({ url }) {
    const errorOf = async (work) => {
      try {
        await work();
      } catch ({ name, field }) {
        return `${name} ${field}`;
      }
      return "nothing";
    };
    const computer = Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: url });
    equal(await errorOf(() => computer.audio({ sample_rate: 7 })), "InvalidParameterError sample_rate", "the error");
    const audio = await computer.audio();
    equal(await errorOf(() => audio.play({ target: 5 })), "InvalidParameterError target", "the error");
    equal(await errorOf(async () => audio.pcmReadable()), "BindingError undefined", "the error");
    await audio.close();
  },
};

/** Plays without user interaction, and prints the states of the player to the console. */
async function playWithoutInteraction(url) {
  const audio = await open(url);
  const player = await audio.play();
  const report = async () => {
    console.log(player.state);
    if (player.state !== "playing") return;
    await analyze(player).tone();
    console.log("the tone");
  };
  player.on("state", () => void report());
  document.addEventListener("click", () => void player.resume());
  await report();
}

if (location.hash) await playWithoutInteraction(decodeURIComponent(location.hash.slice(1)));
globalThis.testNames = Object.keys(tests);
globalThis.runTest = (name, options) => tests[name](options);
