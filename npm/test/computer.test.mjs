import assert from "node:assert/strict";
import test from "node:test";
import { inspect } from "node:util";
import { receiveMessageOnPort } from "node:worker_threads";
import { fakePlatform, refusal } from "./support/fake-binding.mjs";
import { secondCopy, source } from "./support/source.mjs";

const { OrgoClient, ConnectedComputer, Connection } = source;

const secret = "hunter2";
const data = {
  id: "c",
  workspace_id: "w",
  status: "running",
  instance_id: "i",
  connection_url: "http://h/desktops/i",
  vnc_password: secret,
  instance_details: { vnc_password_encrypted: secret, resolution: "1280x720x24" },
};

function client(respond, options) {
  const fake = fakePlatform(respond);
  return { ...fake, orgo: new OrgoClient(fake.platform, { apiKey: "sk_secret", ...options }) };
}

/** Creates a function that returns these responses to `computers.get` in order. The last response is repeated. */
function inTurn(...responses) {
  return () => {
    const response = responses.length > 1 ? responses.shift() : responses[0];
    if (response.kind === "server") throw response;
    return structuredClone(response);
  };
}

test("the properties of a computer contain no secret", async () => {
  const { orgo } = client((operation) =>
    operation === "workspaces.get" ? { id: "w", desktops: [structuredClone(data)] } : structuredClone(data),
  );
  const computer = await orgo.computers.get("c");
  const workspace = await orgo.workspaces.get("w");
  const credentials = await orgo.computers.vncPassword("c");
  const connection = await computer.connection();
  assert.equal(computer.info.status, "running");
  assert.equal("vnc_password" in computer.info, false);
  assert.equal(workspace.desktops[0].vnc_password, secret);
  for (const value of [computer, computer.info, orgo, workspace, credentials, connection]) {
    const shown = inspect(value, { depth: 9, showHidden: false, getters: false });
    assert.doesNotMatch(shown, /hunter2|sk_secret/);
  }
  for (const value of [computer, computer.info, orgo, workspace, credentials]) {
    assert.doesNotMatch(JSON.stringify(value), /hunter2|sk_secret/);
  }
  assert.doesNotMatch(JSON.stringify({ ...connection }), /hunter2/);
});

test("a connection contains the password but not the API key", async () => {
  const { orgo, platform, channels } = client(
    (operation) => (operation === "computers.vncPassword" ? { password: secret } : structuredClone(data)),
    { baseUrl: "http://h/api", realtimeUrl: "ws://h/{instance_id}/{channel}" },
  );
  const json = JSON.stringify(await orgo.computer("c").connection());
  assert.deepEqual(JSON.parse(json), {
    version: 1,
    computer_id: "c",
    instance_id: "i",
    connection_url: "http://h/desktops/i",
    base_url: "http://h/api",
    realtime_url: "ws://h/{instance_id}/{channel}",
    password: secret,
  });
  const connected = new ConnectedComputer(platform, JSON.parse(json));
  assert.equal(connected.id, "c");
  assert.doesNotMatch(inspect(connected, { depth: 9 }), /hunter2/);
  const opening = connected.terminal({ cols: 100 });
  while (channels.length === 0) await new Promise(setImmediate);
  const [channel] = channels;
  assert.deepEqual(channel.target, {
    computer_id: "c",
    instance_id: "i",
    connection_url: "http://h/desktops/i",
    password: secret,
  });
  assert.deepEqual(channel.options, { cols: 100 });
  channel.open();
  await opening;
});

test("an invalid connection is rejected", () => {
  const { platform } = fakePlatform();
  const good = { version: 1, computer_id: "c", password: "p" };
  new ConnectedComputer(platform, good);
  new ConnectedComputer(platform, new Connection(good));
  const wrong = {
    connection: null,
    version: { ...good, version: 2 },
    password: { ...good, password: undefined },
    computer_id: { ...good, computer_id: "" },
    api_key: { ...good, api_key: "sk" },
  };
  for (const [field, connection] of Object.entries(wrong)) {
    assert.throws(() => new ConnectedComputer(platform, connection), { name: "InvalidParameterError", field });
  }
});

test("the error for a copy without the password names the alternative", () => {
  const { platform } = fakePlatform();
  const connection = new Connection({ computer_id: "c", instance_id: "i", password: secret });
  const ports = new MessageChannel();
  ports.port1.postMessage(connection);
  const { message: posted } = receiveMessageOnPort(ports.port2);
  ports.port1.close();
  const copies = {
    cloned: structuredClone(connection),
    spread: { ...connection },
    assigned: Object.assign({}, connection),
    posted,
  };
  for (const [how, copy] of Object.entries(copies)) {
    assert.doesNotMatch(JSON.stringify(copy), /hunter2/, how);
    assert.throws(
      () => new ConnectedComputer(platform, copy),
      { field: "password", message: /structuredClone.*`connection\.toJSON\(\)`/ },
      how,
    );
  }
  // These values are the alternatives that the message names.
  for (const whole of [connection.toJSON(), structuredClone(connection.toJSON()), JSON.parse(JSON.stringify(connection))]) {
    assert.equal(new ConnectedComputer(platform, whole).id, "c");
  }
  const wrong = [
    [JSON.stringify(connection), /JSON\.parse/],
    [Promise.resolve(connection), /await/],
    [undefined, /object/],
    [[connection], /object/],
    [7, /object/],
  ];
  for (const [given, message] of wrong) {
    assert.throws(() => new ConnectedComputer(platform, given), { field: "connection", message });
  }
});

test("a connection from another copy of the package works", async () => {
  const second = await secondCopy();
  const foreign = new second.Connection({ computer_id: "c", password: secret });
  assert.ok(!(foreign instanceof Connection));
  const { platform } = fakePlatform();
  assert.equal(new ConnectedComputer(platform, foreign).id, "c");
  assert.doesNotMatch(inspect(foreign, { depth: 9, showHidden: true }), /hunter2/);
});

test("waitUntilRunning ignores an early 404", async () => {
  const { orgo, calls } = client(inTurn(refusal(404), { ...data, status: "starting" }, data));
  const info = await orgo.computer("c").waitUntilRunning();
  assert.equal(info.status, "running");
  assert.equal(calls.length, 3);
});

test("waitUntilRunning rejects at once if the status is error", async () => {
  const { orgo } = client(inTurn({ ...data, status: "error" }));
  const message = "computers.waitUntilRunning: the computer will not reach `running`: its status is `error`";
  await assert.rejects(orgo.computer("c").waitUntilRunning(), { name: "ComputerStateError", kind: "computer", message });
});

test("waitUntilRunning has a time limit and can be aborted", async () => {
  const { orgo } = client(inTurn({ ...data, status: "starting" }));
  await assert.rejects(orgo.computer("c").waitUntilRunning({ timeout: 20 }), { name: "TimeoutError", limit: 20 });
  const controller = new AbortController();
  const waiting = orgo.computer("c").waitUntilRunning({ signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(waiting, { name: "AbortError", reason: "enough" });
  await assert.rejects(orgo.computer("c").waitUntilRunning({ timeout: "1" }), { field: "timeout" });
});

test("waitUntilRunning rejects with any other refusal", async () => {
  const { orgo } = client(inTurn(refusal(401)));
  await assert.rejects(orgo.computer("c").waitUntilRunning(), { name: "AuthenticationError" });
});

test("only a created computer is deleted at the end of its block, and only once", async () => {
  const { orgo, calls } = client(() => structuredClone(data));
  const deletions = () => calls.filter(({ operation }) => operation === "computers.delete").length;
  const created = await orgo.computers.create({ workspace_id: "w", name: "n" });
  for (const other of [orgo.computer("c"), await orgo.computers.get("c")]) await other[Symbol.asyncDispose]();
  assert.equal(deletions(), 0);
  await created[Symbol.asyncDispose]();
  await created[Symbol.asyncDispose]();
  assert.equal(deletions(), 1);
});

test("printing a computer shows its id, name and status", async () => {
  const { orgo } = client(() => ({ ...data, name: "one", status: "running", vnc_password: "secret" }));
  assert.equal(inspect(orgo.computer("c")), "Computer { id: 'c' }");
  const computer = await orgo.computers.get("c");
  assert.equal(inspect(computer), "Computer { id: 'c', name: 'one', status: 'running' }");
  assert.equal(inspect([computer], { depth: 0 }), "[ [Computer] ]");
  assert.equal(JSON.stringify(orgo.computer("c")), '{"id":"c"}');
  assert.equal(JSON.stringify(computer), '{"id":"c","name":"one","status":"running"}');
});

test("an error does not show a status that is not a plain word", async () => {
  for (const [status, shown] of [
    ["starting", "starting"],
    ["\u001b[2J", "unknown"],
    ["x".repeat(41), "unknown"],
  ]) {
    const { orgo } = client(inTurn({ id: "c", status }));
    const { name, message } = await orgo
      .computer("c")
      .waitUntilRunning({ timeout: 20 })
      .catch((error) => error);
    assert.equal(name, "TimeoutError");
    assert.ok(message.includes(`(status \`${shown}\`)`), JSON.stringify(message));
  }
});

test("the arguments of a method override parameters with the same names", async () => {
  const received = [];
  const { orgo } = client((_operation, params) => {
    received.push(params);
    return { success: true };
  });
  const computer = orgo.computer("c");
  await computer.type("a", { text: "b", id: "d", delay_ms: 1 });
  await computer.type(undefined, { text: "b" });
  await computer.click({ x: 1, y: 2, id: () => "d" });
  assert.deepEqual(received, [{ delay_ms: 1, text: "a", id: "c" }, { id: "c" }, { x: 1, y: 2, id: "c" }]);
});
