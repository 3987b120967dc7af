// What ends a call or an opening, what the log says of it, and where a fresh password comes from: through one binding.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { WebSocketServer } from "ws";
import { until } from "../support/wait.mjs";

/** Nothing here takes as long as this; what does not end by itself ends the test. */
const LONG = 30_000;

/** @param {"native" | "wasm"} kind */
export function testLimits(kind) {
  describe(`limits through the ${kind} binding`, () => {
    const lines = [];
    const closed = [];
    let answer, http, sdk, orgo, port;
    let password = "new";

    before(async () => {
      process.env.ORGO_BINDING = kind;
      sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      http = createServer((request, response) => {
        response.once("close", () => closed.push(response.writableFinished));
        answer(request, response);
      });
      const sockets = new WebSocketServer({ server: http });
      sockets.on("connection", (socket, { url }) => {
        if (!url.includes(`token=${password}`)) return socket.close(4401, "no");
        socket.on("message", () => socket.send('{"type":"pong"}'));
      });
      http.listen(0, "127.0.0.1");
      await once(http, "listening");
      port = http.address().port;
      const log = (line) => lines.push(line);
      const logger = { debug: log, info: log, warn: log, error: log };
      orgo = new sdk.Orgo({ apiKey: "sk_secret", baseUrl: `http://127.0.0.1:${port}/api`, logger, timeout: LONG });
    });
    after(() => {
      http.close();
      http.closeAllConnections();
    });

    const connection = (password) => ({
      version: 1,
      computer_id: "c",
      connection_url: `http://127.0.0.1:${port}`,
      password,
    });

    test("an answer that stops is given up before the request's own limit", async () => {
      answer = (_, response) => response.write("{");
      const options = { idleTimeout: 200, maxRetries: 0 };
      await assert.rejects(orgo.computers.get("c", options), { name: "TimeoutError", limit: 200, message: /stopped for/ });
    });

    test("a call ends with its whole limit, whatever its requests and retries may take", async () => {
      answer = () => {};
      const options = { timeout: LONG, totalTimeout: 200, maxRetries: 5 };
      await assert.rejects(orgo.computers.get("c", options), { name: "TimeoutError", limit: 200, delivered: "maybe" });
    });

    test("a wait beyond the whole limit is not begun, and a shorter one is told to the log", async () => {
      let asked = 0;
      answer = (_, response) => {
        asked += 1;
        response.writeHead(429, { "retry-after": asked === 1 ? "0" : "3600", "content-type": "application/json" });
        response.end('{"error":"slow down","request_id":"req_1"}');
      };
      lines.length = 0;
      await assert.rejects(orgo.computer("c").click({ x: 1, y: 1 }), { name: "RateLimitError", retry_after: 3600 });
      await until("the line", () => lines.length > 0);
      assert.deepEqual(lines, [
        "orgo-sdk: computers.click: 429 slow down; sent again in 0 ms, retry 1 of 2, request id req_1",
      ]);
    });

    test("an abort has its reason and frees the connection", async () => {
      closed.length = 0;
      const controller = new AbortController();
      answer = () => controller.abort("enough");
      const given = orgo.computer("c").click({ x: 1, y: 1 }, { signal: controller.signal });
      await assert.rejects(given, { name: "AbortError", reason: "enough", delivered: "maybe" });
      await until("the server sees the close", () => closed.includes(false));
    });

    test("a refused password is asked for, and the channel goes on", async () => {
      lines.length = 0;
      const options = { logger: { warn: (line) => lines.push(line) }, refresh: async () => connection("new") };
      const terminal = await sdk.Orgo.connect(connection("old"), options).terminal();
      assert.equal(terminal.state.status, "open");
      await terminal.close();
      await until("the line", () => lines.length > 0);
      assert.match(lines[0], /^orgo-sdk: terminal of c: the password was refused: .*4401.*; asking for a fresh one$/);
    });

    test("without an answer for the password a channel ends with the cause", async () => {
      await assert.rejects(sdk.Orgo.connect(connection("old")).terminal(), (error) => {
        assert.deepEqual([error.name, error.cause.reason], ["ChannelClosedError", "unauthorized"]);
        return true;
      });
      const refresh = async () => {
        throw new Error("the page's server is down");
      };
      const connected = sdk.Orgo.connect(connection("old"), { refresh });
      await assert.rejects(connected.terminal({}, { maxRetries: 1 }), (error) => {
        assert.match(error.message, /the page's server is down/);
        return error.cause.reason === "unreachable";
      });
    });
  });
}
