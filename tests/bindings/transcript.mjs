// Plays a transcript of tests/vectors/channels: a stage acts as the server, one binding as the client.
import assert from "node:assert/strict";
import { until, within } from "../support/wait.mjs";
import { Stage } from "./stage.mjs";
import { canonical, fits, part } from "./vectors.mjs";

const KEY = "sk_live_test";
const SEED_HOST = ".orgo.dev";
/** A limit that is longer than every wait of a transcript that is played in real time, in milliseconds. */
const PATIENCE = 40_000;

const isPing = (output) => output.send?.type === "ping";

/**
 * Plays the transcript completely.
 *
 * @returns {Promise<string>} a record of the observations that must be equal in every binding
 */
export async function play(subject, id, script) {
  const stage = await Stage.start();
  try {
    const player = new Player(subject, id, script, stage);
    await player.begin();
    for (const [index, step] of script.steps.entries()) {
      try {
        await player.act(step);
      } catch (error) {
        const seen = canonical(await subject.look(id));
        throw new Error(`step ${index}, ${canonical(step)}: ${error.message}\nseen: ${seen}`, { cause: error });
      }
    }
    return await player.end();
  } finally {
    stage.stop();
    // Fails if the page is already closed.
    await subject.act(id, "close", []).catch(() => {});
  }
}

class Player {
  #subject;
  #id;
  #script;
  #stage;
  #items = [];
  #record = [];
  /** The number of password requests that were expected so far. */
  #asked = 0;
  /** The response that the client waits for: to a request for a password, or to a connection. */
  #pending;

  constructor(subject, id, script, stage) {
    [this.#subject, this.#id, this.#script, this.#stage] = [subject, id, script, stage];
  }

  begin() {
    const { channel, options = {}, target } = this.#script;
    const { password, max_reconnects: reconnects, computer_id } = target;
    const addresses = this.#addresses(target);
    const given = { kind: channel, options, reconnects };
    if (password === undefined) {
      const { base_url: baseUrl, realtime_url: realtimeUrl } = addresses;
      const client = { apiKey: KEY, maxRetries: 0, baseUrl, ...(realtimeUrl && { realtimeUrl }) };
      const allowed = { ...client, dangerouslyAllowBrowser: true };
      return this.#subject.open(this.#id, { ...given, client: allowed, computer: computer_id });
    }
    return this.#subject.open(this.#id, { ...given, connection: this.#connection(target, addresses) });
  }

  async act(step) {
    await this.#input(step);
    for (const output of step.outputs ?? []) await this.#expect(output);
    // Before the first acceptance, no channel object exists.
    if (step.items && step.state === "connecting") this.#items.push(...step.items);
    else if (step.items) await this.#expectItems(step.items);
    if (step.state) await this.#expectState(step.state);
    // Before the first acceptance, there are no counters either.
    if (step.counters && (await this.#look()).open) {
      await this.#see("the counters", ({ counters }) => fits(counters, step.counters));
      this.#record.push(part((await this.#look()).counters, step.counters));
    }
  }

  async end() {
    const surplus = this.#stage.outputs.rest.filter((output) => !isPing(output));
    assert.deepEqual(surplus, [], "actions of the client that are not in the transcript");
    await this.#command("close");
    const { failure, ended } = await this.#see("its end", ({ failure, ended }) => failure || ended);
    return canonical({ record: this.#record, failure: failure && cause(failure), ended: cause(ended) });
  }

  async #input(step) {
    const [stage, script] = [this.#stage, this.#script];
    if (step.open) stage.open();
    if (step.text !== undefined) stage.send(typeof step.text === "string" ? step.text : JSON.stringify(step.text));
    if (step.binary !== undefined) stage.send(Buffer.from(step.binary, "base64"));
    if (step.server_close) stage.close(...step.server_close);
    if (step.failure) {
      if (this.#pending === "question") await this.#command("fail", step.failure.message);
      else stage.refuse(step.failure.status);
    }
    if (step.credentials) {
      const { address, password, error } = step.credentials;
      if (error) stage.provideCredentials({ error });
      else if (script.target.password === undefined) {
        stage.provideCredentials({ address: { ...address, ...this.#addresses(address) }, password });
      } else {
        await this.#command("password", this.#connection({ ...address, password }, this.#addresses(address)));
      }
    }
    if (step.close) await this.#command("close");
    if (step.resize) await this.#command("resize", ...step.resize);
    if (step.subscribe) await this.#command("subscribe", step.subscribe);
    if (step.unsubscribe) await this.#command("unsubscribe", step.unsubscribe);
    // Before the first acceptance, no terminal object exists.
    if (step.input !== undefined && (await this.#look()).open) {
      const accepted = await this.#command("write", step.input);
      if (step.accepted !== undefined) assert.equal(accepted, step.accepted, "accepted");
      this.#record.push({ accepted });
    }
  }

  async #expect(output) {
    if (output === "authorize" && this.#script.target.password !== undefined) {
      this.#asked += 1;
      await this.#see("the request for a password", ({ asked }) => asked === this.#asked);
      this.#pending = "question";
      return;
    }
    const what = `the client to do ${canonical(output)}`;
    const deadline = performance.now() + PATIENCE;
    const take = () => within(what, this.#stage.outputs.take(), Math.ceil(deadline - performance.now()));
    let done = await take();
    // On a slow machine, there can be additional pings.
    while (isPing(done) && !isPing(output)) {
      this.#stage.pong();
      done = await take();
    }
    if (output.connect !== undefined) {
      const { pathname, search } = new URL(output.connect);
      assert.deepEqual(done, { connect: pathname + search });
      this.#pending = "connect";
    } else if (output.send) {
      assert.deepEqual(done.send, output.send, canonical(done));
    } else {
      assert.deepEqual(done, output);
    }
    this.#record.push(done);
  }

  async #expectItems(items) {
    this.#items.push(...items);
    const expected = canonical(joined(this.#items));
    await this.#see("the items", ({ items }) => canonical(joined(items)) === expected, `expected: ${expected}`);
    this.#record.push(joined(this.#items));
  }

  async #expectState(expected) {
    const wanted = typeof expected === "string" ? { status: expected } : expected;
    const { open, failure } = await this.#see("the state", ({ open, failure, state, states }) => {
      if (open) return fits(state, wanted) && fits(states.at(-1), wanted);
      if (failure) return fits({ status: "closed", cause: failure.cause }, wanted);
      // The public API does not report the state of an opening, only how the opening ended.
      return wanted.status === "connecting" || wanted.status === "reconnecting";
    });
    this.#record.push({ open, failed: failure !== undefined, state: wanted });
  }

  /** Returns the local addresses that replace the addresses of a computer's channels in the vector. */
  #addresses({ connection_url, instance_id }) {
    const here = `127.0.0.1:${this.#stage.port}`;
    const url = this.#script.steps.flatMap((step) => step.outputs ?? []).find((output) => output.connect)?.connect;
    const seed = url !== undefined && new URL(url).host.endsWith(SEED_HOST);
    return {
      base_url: `http://${here}/api`,
      ...(seed && { realtime_url: `ws://${here}/{channel}` }),
      ...(connection_url && { connection_url: `http://${here}${new URL(connection_url).pathname}` }),
      ...(instance_id && { instance_id }),
    };
  }

  #connection({ computer_id, password }, addresses) {
    return { version: 1, computer_id, password, ...addresses };
  }

  #command(command, ...args) {
    return this.#subject.act(this.#id, command, args);
  }

  #look() {
    return this.#subject.look(this.#id);
  }

  /** Waits until `test` accepts the visible state of the channel, and returns this state. */
  async #see(what, test, detail = "") {
    return until(
      `${what} ${detail}`,
      async () => {
        const seen = await this.#look();
        return test(seen) && seen;
      },
      PATIENCE,
    );
  }
}

/** Joins consecutive items of output or samples, because the number of such items is not specified. */
function joined(items) {
  const whole = [];
  for (const item of items) {
    const last = whole.at(-1);
    if (last?.type === item.type && item.type === "output") last.data += item.data;
    else if (last?.type === item.type && item.type === "samples") last.samples.push(...item.samples);
    else whole.push(structuredClone(item));
  }
  return whole;
}

/** Returns why a channel ended, without the text that differs between platforms. */
function cause(ended) {
  if (typeof ended === "string" || ended === undefined) return ended;
  return { name: ended.name, kind: ended.kind, reason: ended.cause?.reason };
}
