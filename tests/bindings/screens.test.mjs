// Plays the recordings in tests/vectors/screens through every binding that has a screen, over a real socket. Each binding must
// show the screen of the X server that was recorded.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { WebSocketServer } from "ws";
import { until } from "../support/wait.mjs";
import { startSubjects } from "./subjects.mjs";

const FOLDER = new URL("../vectors/screens/", import.meta.url);
const recordings = JSON.parse(readFileSync(new URL("recordings.json", FOLDER), "utf8"));
/** The bindings that have a screen. */
const NAMES = ["native", "page"];
/** The sizes of the messages, in bytes: a part of a header, a usual one, and more than some servers send. */
const PIECES = [7, 4_096, 100_000];

let subjects, server, received;
before(async () => {
  subjects = await startSubjects(NAMES);
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    // The recorded server requested nothing that the client's messages change.
    socket.on("message", () => {});
    received?.(socket);
  });
});
after(async () => {
  for (const subject of Object.values(subjects ?? {})) await subject.close();
  for (const socket of server?.clients ?? []) socket.terminate();
  server?.close();
});

describe("recordings of screens", { concurrency: false }, () => {
  for (const { name, file, checks } of recordings) {
    for (const piece of PIECES) {
      test(`${name}, in messages of ${piece} bytes`, { timeout: 120_000 }, async () => {
        for (const binding of NAMES) await play(subjects[binding], `${binding} ${name} ${piece}`, file, checks, piece);
      });
    }
  }
});

async function play(subject, id, file, checks, piece) {
  const bytes = readFileSync(new URL(file, FOLDER));
  const connected = new Promise((resolve) => (received = resolve));
  const connection = { version: 1, computer_id: "c", connection_url: `http://127.0.0.1:${server.address().port}`, password: "p" };
  await subject.openScreen(id, connection);
  const socket = await connected;
  let start = 0;
  for (const { bytes: end, width, height, hash } of checks) {
    for (; start < end; start = Math.min(start + piece, end)) socket.send(bytes.subarray(start, Math.min(start + piece, end)));
    let seen;
    const describeSeen = () => `${id}: ${width}x${height} with the hash ${hash} after ${end} bytes, not ${JSON.stringify(seen)}`;
    await until(describeSeen, async () => {
      seen = await subject.hashScreen(id);
      return seen?.width === width && seen.height === height && seen.hash === hash;
    });
  }
  assert.equal(start, bytes.length);
  await subject.closeScreen(id);
}
