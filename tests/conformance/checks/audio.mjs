import assert from "node:assert/strict";

/** The number of messages to read. No program plays audio on the computer, so the messages prove that silence is sent too. */
const MESSAGES = 25;

/** Returns a check that the server sends audio in a format, in frames of 20 ms. A message may contain several frames. */
function sendsAudio(name, source, query, sampleRate, channels) {
  return {
    name,
    source,
    async run(wire, state) {
      const socket = await wire.channel("audio", state, { query });
      const first = await socket.frame();
      assert.deepEqual([first.type, first.sample_rate, first.channels], ["started", sampleRate, channels]);
      for (let n = 0; n < MESSAGES; n += 1) {
        const { length } = await socket.bytes();
        assert.ok(length > 0 && length % (sampleRate * 0.02 * channels * 2) === 0, `a message of ${length} bytes`);
      }
      socket.close();
    },
  };
}

export const audio = [
  sendsAudio("audio is 24 kHz mono in frames of 960 bytes by default", "SEED", {}, 24_000, 1),
  sendsAudio("audio is 48 kHz stereo on request", "G3", { sample_rate: 48_000, channels: 2 }, 48_000, 2),
  {
    name: "stop closes the channel with 1000",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await wire.channel("audio", state);
      await socket.bytes();
      socket.send({ type: "stop" });
      assert.equal(await socket.closed(), 1000);
    },
  },
];
