import assert from "node:assert/strict";

/** Sends a line, and reads the output until it matches the pattern. */
async function line(socket, text, pattern) {
  let printed = "";
  socket.send({ type: "input", data: `${text}\r` });
  await socket.find((frame) => {
    if (frame.type === "output") printed += frame.data;
    return pattern.test(printed);
  });
  return printed;
}

export const terminal = [
  {
    name: "the default size of a terminal is 80 x 24",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("terminal", state);
      await line(socket, "stty size", /24 80/);
      socket.close();
    },
  },
  {
    name: "a terminal has the requested size and can be resized",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("terminal", state, { query: { cols: 101, rows: 31 } });
      await line(socket, "stty size", /31 101/);
      socket.send({ type: "resize", cols: 90, rows: 20 });
      await line(socket, "stty size", /20 90/);
      socket.close();
    },
  },
  {
    name: "a terminal transfers non-ASCII characters",
    source: "SEED",
    async run(wire, state) {
      const socket = await wire.channel("terminal", state);
      await line(socket, "printf '%s-%s\\n' 'Grüße 世界' '🙂'", /Grüße 世界-🙂/);
      socket.close();
    },
  },
  {
    name: "a terminal reports the shell's exit code and closes with 1000",
    source: "SEED, G3",
    async run(wire, state) {
      const socket = await wire.channel("terminal", state);
      await line(socket, "echo $((40 + 2))-terminal", /42-terminal/);
      socket.send({ type: "input", data: "exit 7\r" });
      assert.equal((await socket.find((frame) => frame.type === "exit")).code, 7);
      assert.equal(await socket.closed(), 1000);
    },
  },
];
