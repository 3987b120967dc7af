import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../server/config.mjs";

const key = { ORGO_API_KEY: "sk_live_x" };

test("tries PORT, or 4400 and then any free port", () => {
  assert.deepEqual(readConfig(key).ports, [4400, 0]);
  assert.deepEqual(readConfig({ ...key, PORT: "0" }).ports, [0]);
  assert.deepEqual(readConfig({ ...key, PORT: "8080" }).ports, [8080]);
});

test("derives the origins of the channels", () => {
  const sockets = (environment) => readConfig({ ...key, ...environment }).sockets;
  assert.deepEqual(sockets({}), ["wss://www.orgo.ai", "wss://*.orgo.dev"]);
  assert.deepEqual(sockets({ ORGO_BASE_URL: "http://127.0.0.1:8800/api" }), ["ws://127.0.0.1:8800", "wss://*.orgo.dev"]);
  assert.deepEqual(sockets({ ORGO_REALTIME_URL: "ws://127.0.0.1:8800/desktops/{instance_id}/ws/{channel}" }), [
    "ws://127.0.0.1:8800",
  ]);
  assert.deepEqual(sockets({ ORGO_REALTIME_URL: "wss://{computer_id}.orgo.dev/{channel}" }), ["wss://*.orgo.dev"]);
});
