// Tests the addon in its process: what keeps the process alive, worker threads, many clients.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { WebSocketServer } from "ws";

import { listen, PIXEL, path } from "./addon.mjs";

/** Starts a server that responds to all calls except `slow` ones, and whose sockets send only pongs. */
async function service(test) {
  const server = createServer((request, response) => {
    if (request.url.includes("slow")) server.emit("slow", request);
    else response.end('{"success":true}');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", () => socket.send('{"type":"pong"}'));
    server.emit("socket", socket);
  });
  test.after(() => sockets.close());
  return { server, port: await listen(test, server) };
}

/** The beginning of every script: the addon, a client, a call and a terminal. */
const prelude = (port) => `
  const { Client } = require(${JSON.stringify(path)});
  const client = new Client({ base_url: "http://127.0.0.1:${port}/api", api_key: "k" });
  const click = (id) => client.call("computers.click", { id, x: 1, y: 2 }, {}).outcome();
  const open = () => client.open("terminal", { computer_id: "c1", connection_url: "http://127.0.0.1:${port}", password: "p" }, {});
  const opened = async (terminal) => { while (terminal.state().status !== "open") await terminal.nextState(); };
`;

/** Starts a script in a separate process. */
function start(test, port, script) {
  const child = spawn(process.execPath, ["-e", `${prelude(port)}\n(async () => { ${script} })()`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  test.after(() => child.kill("SIGKILL"));
  const exit = once(child, "exit").then(([code, signal]) => code ?? signal);
  const output = child.stdout
    .setEncoding("utf8")
    .toArray()
    .then((parts) => parts.join(""));
  return { child, exit, output };
}

test("an idle client lets the process exit", async (t) => {
  const { port } = await service(t);
  const { exit, output } = start(t, port, `console.log((await click("c1")).ok)`);
  assert.equal(await exit, 0);
  assert.equal(await output, "true\n");
});

test("a closed channel lets the process exit after its close frame was sent", async (t) => {
  const { server, port } = await service(t);
  const closed = once(server, "socket").then(([socket]) => once(socket, "close"));
  const { exit } = start(t, port, `const terminal = open(); await opened(terminal); terminal.close();`);
  assert.equal(await exit, 0);
  assert.equal((await closed)[0], 1000);
});

test("a server that does not reply to a close frame does not keep the process alive", async (t) => {
  const { server, port } = await service(t);
  server.on("socket", (socket) => socket.once("message", () => setImmediate(() => socket._socket.pause())));
  const { exit } = start(t, port, `const terminal = open(); await opened(terminal); terminal.close();`);
  assert.equal(await exit, 0);
});

test("a pending call keeps the process alive until it is canceled", async (t) => {
  const { server, port } = await service(t);
  const { child, exit } = start(
    t,
    port,
    `const call = client.call("computers.click", { id: "slow", x: 1, y: 2 }, {});
     process.on("SIGUSR2", () => call.cancel()); await call.outcome();`,
  );
  await once(server, "slow");
  assert.equal(child.exitCode, null);
  child.kill("SIGUSR2");
  assert.equal(await exit, 0);
});

test("an open channel keeps the process alive until it is closed", async (t) => {
  const { port } = await service(t);
  const { child, exit } = start(
    t,
    port,
    `globalThis.terminal = open(); process.on("SIGUSR2", () => terminal.close()); await opened(terminal); console.log("open");`,
  );
  await once(child.stdout, "readable");
  assert.equal(child.exitCode, null);
  child.kill("SIGUSR2");
  assert.equal(await exit, 0);
});

test("process.exit works during calls and channels", async (t) => {
  const { server, port } = await service(t);
  const { exit } = start(
    t,
    port,
    `const terminal = open(); await opened(terminal); terminal.next(); click("slow"); process.exitCode = 3; setTimeout(() => process.exit(), 50);`,
  );
  await once(server, "slow");
  assert.equal(await exit, 3);
});

test("worker threads have their own clients, and ending one does not affect the others", async (t) => {
  const { server, port } = await service(t);
  const script = `${prelude(port)}
    const { parentPort } = require("node:worker_threads");
    (async () => {
      const { ok } = await click("c1");
      const terminal = open();
      await opened(terminal);
      terminal.next();
      terminal.nextState();
      click("slow");
      parentPort.postMessage(ok);
    })();`;
  for (let round = 0; round < 5; round += 1) {
    const [slow, socket] = [once(server, "slow"), once(server, "socket")];
    const worker = new Worker(script, { eval: true });
    assert.deepEqual(await once(worker, "message"), [true]);
    await slow;
    const closed = once((await socket)[0], "close");
    await worker.terminate();
    await closed;
  }
  const { exit, output } = start(t, port, `console.log((await click("c1")).ok)`);
  assert.deepEqual([await exit, await output], [0, "true\n"]);
});

test("a worker may end while the addon copies content into its memory", async (t) => {
  const image = `data:image/png;base64,${Buffer.concat([PIXEL, Buffer.alloc(4 << 20)]).toString("base64")}`;
  const response = JSON.stringify({ image });
  const server = createServer((_, out) => out.end(response));
  const port = await listen(t, server);
  const script = `${prelude(port)}
    const { parentPort } = require("node:worker_threads");
    const repeat = async () => {
      for (;;) {
        const { bytes } = await client.call("computers.screenshot", { id: "c1" }, {}).outcome();
        parentPort.postMessage(bytes.length);
      }
    };
    for (let parallel = 0; parallel < 4; parallel += 1) repeat();`;
  for (let round = 0; round < 10; round += 1) {
    const worker = new Worker(script, { eval: true });
    const [length] = await once(worker, "message");
    assert.equal(length, PIXEL.length + (4 << 20));
    // The other three calls, and the next one, are in progress.
    await worker.terminate();
  }
});

test("a channel is closed when its object is collected", async (t) => {
  const { server, port } = await service(t);
  const socket = once(server, "socket");
  start(
    t,
    port,
    `await opened(open());
     require("node:v8").setFlagsFromString("--expose-gc");
     setInterval(require("node:vm").runInNewContext("gc"), 10);`,
  );
  const [code] = await once((await socket)[0], "close");
  assert.equal(code, 1000);
});
