import { equal, ok, rejects } from "./check.mjs";

const UNKNOWN = "00000000-0000-4000-8000-000000000000";

export async function refusesWrongKey({ sdk, options }) {
  const apiKey = "sk_live_wrong";
  const orgo = new sdk.Orgo({ ...options, apiKey });
  const error = await rejects(orgo.workspaces.list(), sdk.AuthenticationError, "a call with a wrong key");
  equal(error.status, 401, "the status");
  equal(error.kind, "server", "the kind");
  ok(error.request_id, "the error has no request id");
  ok(!`${error.stack}${JSON.stringify(error)}`.includes(apiKey), "the error contains the key");
}

export async function refusesWrongPassword({ sdk, computer }) {
  const password = "wrong-password";
  const connection = { ...(await computer.connection()).toJSON(), password };
  const connected = sdk.Orgo.connect(connection);
  const channels = {
    terminal: () => connected.terminal(),
    audio: () => connected.audio(),
    events: () => connected.events(["clipboard"]),
  };
  for (const [name, open] of Object.entries(channels)) {
    const error = await rejects(open(), sdk.ChannelClosedError, `${name} with a wrong password`);
    equal(error.cause.reason, "unauthorized", `the cause (${name})`);
    ok(!`${error.stack}${JSON.stringify(error)}`.includes(password), `the error contains the password (${name})`);
  }
}

export async function doesNotFindUnknownComputer({ sdk, orgo, computer }) {
  const unknown = orgo.computer(UNKNOWN);
  const calls = [() => unknown.screenshot(), () => unknown.click({ x: 1, y: 1 }), () => orgo.computers.get(UNKNOWN)];
  for (const call of calls) {
    const error = await rejects(call(), sdk.NotFoundError, "a call to an unknown computer");
    equal(error.status, 404, "the status");
  }
  isNotFound(await rejects(unknown.terminal(), sdk.ChannelClosedError, "a terminal without a password"));

  const { version, base_url, realtime_url, password } = (await computer.connection()).toJSON();
  const connection = { version, base_url, realtime_url, password, computer_id: UNKNOWN, instance_id: "00000000" };
  const opening = sdk.Orgo.connect(connection).terminal();
  isNotFound(await rejects(opening, sdk.ChannelClosedError, "a terminal with another computer's password"));

  function isNotFound(error) {
    equal(error.cause.reason, "not_found", "the cause");
  }
}

export async function reportsRefusedSampleRate({ sdk, computer }) {
  const error = await rejects(computer.audio({ sample_rate: 44_101 }), sdk.ChannelClosedError, "an unsupported sample rate");
  equal(`${error.cause.reason} ${error.cause.code}`, "failed 4500", "the cause");
  ok(error.message.includes("sample_rate: must be 8000 to 192000 and a multiple of 50"), error.message);
}

export async function doesNotSendInvalidParameters({ sdk, options, counter, workspace }) {
  const realtimeUrl = `${counter.replace("http", "ws")}/api/{computer_id}/{channel}`;
  const orgo = new sdk.Orgo({ ...options, baseUrl: `${counter}/api`, realtimeUrl });
  const computer = orgo.computer(UNKNOWN);
  const create = (params) => orgo.computers.create({ workspace_id: workspace.id, name: "one", ...params });
  const refused = {
    x: () => computer.click({ x: -1, y: 1 }),
    y: () => computer.click({ x: 1 }),
    button: () => computer.click({ x: 1, y: 1, button: "thumb" }),
    end_x: () => computer.drag({ start_x: 1, start_y: 1, end_x: 0.5, end_y: 1 }),
    direction: () => computer.scroll({ direction: "sideways" }),
    amount: () => computer.scroll({ direction: "up", amount: 0 }),
    key: () => computer.key(""),
    duration: () => computer.wait(61),
    timeout: () => computer.exec("1", { timeout: 301 }),
    color: () => computer.click({ x: 1, y: 1, color: "red" }),
    name: () => orgo.workspaces.create({ name: "" }),
    resolution: () => create({ resolution: "large" }),
    ram: () => create({ ram: -4 }),
    cols: () => computer.terminal({ cols: 0 }),
    channels: () => computer.audio({ channels: 3 }),
    types: () => computer.events("clipboard"),
  };
  for (const [field, call] of Object.entries(refused)) {
    const error = await rejects(call(), sdk.InvalidParameterError, `an invalid ${field}`);
    equal(error.field, field, "the field of the error");
    equal(error.delivered, "no", `whether it was delivered (${field})`);
    ok(error.message.includes(field), `the message does not contain ${field}: ${error.message}`);
  }
  const count = async () => Number(await (await fetch(`${counter}/seen`)).text());
  const before = await count();
  // A valid call proves that the server counts requests.
  await orgo.workspaces.list();
  const after = await count();
  ok(after > before, "a valid call was not counted");
  equal(before, 0, "the number of requests");
}
