// A page that plays what a server of the test sends: a tone of 440 Hz. The test calls its functions.
import { Orgo } from "orgo-sdk";
import { equal, ok } from "../../scenarios/check.mjs";
import { loudness, signalToNoise, strongest } from "../../support/tone.mjs";
import { until } from "../../support/wait.mjs";

const PITCH = 440;
/** The largest step of the tone, 0.5 loud at 24 kHz, and of the fades and the spread steps that may add to it. */
const SMOOTH = 2 * Math.PI * (PITCH / 24_000) * 0.5 + 3 / (0.005 * 24_000);

const open = (url) => Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: url }).audio();

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

/** Hears every sample that comes out of a player. */
async function tapInto(player) {
  const { context } = player.node;
  await context.audioWorklet.addModule(new URL("./tap.js?no-inline", import.meta.url));
  const tap = new AudioWorkletNode(context, "tap", { numberOfOutputs: 0 });
  player.node.connect(tap);
  const ask = (message) =>
    new Promise((resolve) => {
      tap.port.onmessage = ({ data }) => resolve(data);
      tap.port.postMessage(message);
    });
  return {
    async smooth(when) {
      const largest = await ask("step");
      ok(largest < SMOOTH, `a step of ${largest} ${when}`);
    },
    record: (samples) => ask(samples),
  };
}

const control = (controls, what) => fetch(`${controls}/${what}`, { method: "POST" });

function balanced({ received, played, buffered, dropped }) {
  equal(received, played + buffered + dropped, "the samples that are accounted for");
}

const acts = {
  async "the tone is played, paused, made softer and stopped, without a click"({ url, transport }) {
    const audio = await open(url);
    const states = [];
    const context = new AudioContext({ sampleRate: 24_000 });
    const player = await audio.play({ context, volume: 0.5, target: 80 });
    player.on("state", (state) => states.push(state));
    const { smooth } = await tapInto(player);

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

  async "a context of the page is left open, resampled to, and may sleep at first"({ url }) {
    for (const sampleRate of [44_100, 48_000]) {
      const context = new AudioContext({ sampleRate });
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
    }
  },

  async "a tone is 60 dB above all else that is heard, while the sender's clock is followed"({ url }) {
    for (const sampleRate of [24_000, 44_100]) {
      const context = new AudioContext({ sampleRate });
      const audio = await open(url);
      const player = await audio.play({ context });
      const { record } = await tapInto(player);
      await ears(player).tone();
      // A hundred periods at once: in a longer time the changing speed would count as noise, which is not heard as such.
      const length = Math.round((100 * sampleRate) / PITCH);
      const ratio = async () => signalToNoise(await record(length), sampleRate, PITCH);
      // On a busy machine something can be lost meanwhile.
      await until(`60 dB at ${sampleRate} per second`, async () => (await ratio()) > 60);
      await audio.close();
      await context.close();
    }
  },

  async "a recorder hears what the loudspeaker does"({ url }) {
    const audio = await open(url);
    const player = await audio.play();
    await ears(player).tone();
    const { stream } = player;
    equal(stream.getAudioTracks().length, 1, "the tracks of the stream");
    equal(player.stream, stream, "the stream of each time");
    const recorder = new MediaRecorder(stream);
    const pieces = [];
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.start(100);
    const { context } = player.node;
    const decoded = async () => context.decodeAudioData(await new Blob(pieces).arrayBuffer()).catch(() => undefined);
    // What is recorded begins with a pause that its encoder makes.
    await until("the tone in what is recorded", async () => {
      const samples = (await decoded())?.getChannelData(0).slice(-8192) ?? [];
      if (samples.length < 8192) return false;
      const { frequency, share } = strongest(samples, context.sampleRate);
      return share > 0.95 && Math.abs(frequency - PITCH) < PITCH * 0.012;
    });
    recorder.stop();
    await audio.close();
  },

  async "the sound may go on in another format"({ url, controls }) {
    const audio = await open(url);
    const player = await audio.play();
    const formats = [];
    audio.on("started", ({ sample_rate, channels }) => formats.push(`${sample_rate}/${channels}`));
    const { tone } = ears(player);
    const { smooth } = await tapInto(player);
    await tone();
    for (const format of ["other", "usual"]) {
      await control(controls, format);
      const { played } = player.stats;
      await until("sound of the other format", () => player.stats.played > played + 9_600);
      await tone();
      await smooth("at a change of the format");
      balanced(player.stats);
    }
    await until("the formats to be told", () => formats.join().endsWith("48000/2,24000/1"));
    await audio.close();
  },

  async "it sounds where the page wants"({ url }) {
    const audio = await open(url);
    const player = await audio.play();
    const refusal = (id) =>
      player.setOutput(id).then(
        () => "nothing",
        ({ name }) => name,
      );
    if (!("setSinkId" in player.node.context)) {
      equal(await refusal(""), "BindingError", "the refusal where there is no choice");
      await audio.close();
      return;
    }
    const devices = await navigator.mediaDevices.enumerateDevices();
    const outputs = devices.filter(({ kind, deviceId }) => kind === "audiooutput" && deviceId !== "default");
    ok(outputs.length > 0, `no outputs among ${devices.map(({ kind }) => kind)}`);
    const { tone } = ears(player);
    for (const { deviceId } of [...outputs, { deviceId: "" }]) {
      await player.setOutput(deviceId);
      equal(player.node.context.sinkId, deviceId, "where it sounds");
      await tone();
    }
    equal(await refusal("nowhere"), "BindingError", "the refusal of a device that is not there");
    await tone();
    await audio.close();
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

  async "a broken connection is dialled again, and the player goes on"({ url, controls }) {
    const audio = await open(url);
    const player = await audio.play();
    const { tone } = ears(player);
    await tone();
    const { smooth } = await tapInto(player);
    await control(controls, "drop");
    await until("a new connection", () => audio.counters.reconnects === 1 && audio.state.status === "open");
    const { played } = player.stats;
    await until("sound from it", () => player.stats.played > played + 4_800);
    await tone();
    await smooth("at the gap");
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
    equal(await refusal(async () => audio.pcmReadable()), "BindingError undefined", "the refusal");
    await audio.close();
  },
};

/** Plays before anybody touches the page, and tells its console what becomes of that. */
async function playUntouched(url) {
  const audio = await open(url);
  const player = await audio.play();
  const tell = async () => {
    console.log(player.state);
    if (player.state !== "playing") return;
    await ears(player).tone();
    console.log("the tone");
  };
  player.on("state", () => void tell());
  document.addEventListener("click", () => void player.resume());
  await tell();
}

if (location.hash) await playUntouched(decodeURIComponent(location.hash.slice(1)));
globalThis.actNames = Object.keys(acts);
globalThis.act = (name, given) => acts[name](given);
