import assert from "node:assert/strict";
import { UNKNOWN } from "../expect.mjs";

const NAMES = { current: "the current protocol", older: "the older protocol" };
const KINDS = ["terminal", "audio", "events"];

const socketsOf = ({ connection_url }) => connection_url.replace(/^http/, "ws");

async function repliesToPing(socket) {
  socket.send({ type: "ping" });
  await socket.find((frame) => frame.type === "pong");
  socket.close();
}

function repliesAt(kind, generation, source) {
  return {
    name: `the ${kind} channel replies to a ping at the address of ${NAMES[generation]}`,
    source,
    run: async (wire, state) => repliesToPing(await wire.channel(kind, state, { generation })),
  };
}

function closesWith(code, kind, why, source, refusal) {
  return {
    name: `the ${kind} channel is closed with ${code} ${why}`,
    source,
    run: async (wire, state) => assert.equal(await (await wire.channel(kind, refusal(state, wire))).closed(), code),
  };
}

/** The checks of the behavior that all channels share: addresses, passwords and refusals. */
export const channels = [
  ...KINDS.flatMap((kind) => [repliesAt(kind, "current", "G3, VNC-0.3, BOPS"), repliesAt(kind, "older", "SEED")]),
  {
    name: "channels are available below the computer's connection_url",
    source: "G3",
    async run(wire, state) {
      const address = `${socketsOf(state.computer)}/ws/{channel}`;
      await repliesToPing(await wire.channel("events", state, { address }));
    },
  },
  {
    name: "channels are also available by the computer's UUID",
    source: "G3",
    async run(wire, state) {
      const address = `${socketsOf(state.computer).replace(/[^/]+$/, "{computer_id}")}/ws/{channel}`;
      await repliesToPing(await wire.channel("events", state, { address }));
    },
  },
  {
    name: "the password is accepted as a Bearer token",
    source: "BOPS, MCP",
    run: async (wire, state) => repliesToPing(await wire.channel("events", state, { bearer: true })),
  },
  {
    name: "binary messages are read like text messages",
    source: "OS1",
    async run(wire, state) {
      const socket = await wire.channel("terminal", state);
      socket.sendBinary({ type: "ping" });
      await socket.find((frame) => frame.type === "pong");
      socket.close();
    },
  },
  ...KINDS.flatMap((kind) => [
    closesWith(4401, kind, "for a wrong token", "SEED, G3", (state) => ({ ...state, password: "wrong" })),
    closesWith(4401, kind, "without a token", "SEED, G3", (state) => ({ ...state, password: null })),
    closesWith(4404, kind, "for an unknown computer", "G3", (state) => ({
      ...state,
      computer: { id: UNKNOWN, instance_id: "00000000" },
    })),
  ]),
  closesWith(4401, "events", "for the API key", "VNC-0.3", (state, wire) => ({ ...state, password: wire.key })),
];
