// A computer under test. Plain HTTP calls control it, not the SDK.
import { until } from "../support/wait.mjs";

export class TestComputer {
  #wire;
  #record;

  constructor(wire, record) {
    this.#wire = wire;
    this.#record = record;
  }

  /** Creates a computer in the workspace and waits until it is running. */
  static async start(wire, workspace, name) {
    const { body } = await wire.call("POST", "/computers", { workspace_id: workspace, name });
    const computer = new TestComputer(wire, body);
    await until("the computer to run", async () => (await computer.show()).status === "running", 60_000);
    return computer;
  }

  /** Fetches the current record of the computer. */
  async show() {
    this.#record = (await this.#wire.call("GET", this.#path)).body;
    return this.#record;
  }

  get #path() {
    return `/computers/${this.#record.id}`;
  }

  /** Makes a call. Fails if the server refuses it. */
  async call(name, body, options) {
    const response = await this.#wire.call("POST", `${this.#path}/${name}`, body, options);
    if (response.status !== 200) throw new Error(`${name}: ${response.status} ${JSON.stringify(response.body)}`);
    return response.body;
  }

  /** Runs a command in the home directory, and returns the output of the command. */
  async bash(command) {
    return (await this.call("bash", { command })).output;
  }

  async press(...keys) {
    for (const key of keys) await this.call("key", { key });
  }

  /** Takes a screenshot. Returns the bytes of a PNG or JPEG file. */
  async screenshot(format = "png") {
    const { body } = await this.#wire.call("GET", `${this.#path}/screenshot?format=${format}`);
    return Buffer.from(body.image, "base64");
  }

  /** Opens a channel, which the caller closes. */
  async channel(kind, query) {
    const { password } = (await this.#wire.call("GET", `${this.#path}/vnc-password`)).body;
    return this.#wire.channel(kind, { computer: this.#record, password }, { query });
  }

  /** Opens an events channel and subscribes to the types. The caller closes the channel. */
  async events(...types) {
    const events = await this.channel("events");
    events.send({ type: "subscribe", event_types: types });
    await events.find((frame) => frame.type === "subscribed");
    return events;
  }

  delete() {
    return this.#wire.call("DELETE", this.#path);
  }
}
