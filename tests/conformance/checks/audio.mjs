import assert from "node:assert/strict";

/** As many frames show that sound comes also while nothing plays. */
const FRAMES = 25;

/** Sound of a format comes, in silence too, in pieces of 20 ms, of which a message may hold several. */
function plays(name, source, query, sampleRate, channels) {
  return {
    name,
    source,
    async run(wire, state) {
      const socket = await wire.channel("audio", state, { query });
      const first = await socket.frame();
      assert.deepEqual([first.type, first.sample_rate, first.channels], ["started", sampleRate, channels]);
      for (let n = 0; n < FRAMES; n += 1) {
        const { length } = await socket.bytes();
        assert.ok(length > 0 && length % (sampleRate * 0.02 * channels * 2) === 0, `a message of ${length} bytes`);
      }
      socket.close();
    },
  };
}

export const audio = [
  plays("sound is 24 kHz mono in pieces of 960 bytes", "SEED", {}, 24_000, 1),
  plays("sound is 48 kHz stereo if asked", "G3", { sample_rate: 48_000, channels: 2 }, 48_000, 2),
  {
    name: "stop ends the sound with 1000",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await wire.channel("audio", state);
      await socket.bytes();
      socket.send({ type: "stop" });
      assert.equal(await socket.closed(), 1000);
    },
  },
];
