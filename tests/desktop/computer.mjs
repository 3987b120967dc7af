// A computer under test, worked by plain calls.
import { until } from "../support/wait.mjs";

export class TestComputer {
  #wire;
  #record;

  constructor(wire, record) {
    this.#wire = wire;
    this.#record = record;
  }

  /** Makes one in the workspace and waits until it runs. */
  static async start(wire, workspace, name) {
    const { body } = await wire.call("POST", "/computers", { workspace_id: workspace, name });
    const computer = new TestComputer(wire, body);
    await until("the computer to run", async () => (await computer.show()).status === "running", 60_000);
    return computer;
  }

  /** Its record as it is now. */
  async show() {
    this.#record = (await this.#wire.call("GET", this.#path)).body;
    return this.#record;
  }

  get #path() {
    return `/computers/${this.#record.id}`;
  }

  /** Makes the call, and fails if it is refused. */
  async act(call, body, options) {
    const answer = await this.#wire.call("POST", `${this.#path}/${call}`, body, options);
    if (answer.status !== 200) throw new Error(`${call}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Runs a command in its home, and gives what it printed. */
  async bash(command) {
    return (await this.act("bash", { command })).output;
  }

  async press(...keys) {
    for (const key of keys) await this.act("key", { key });
  }

  /** The file of its screen: a PNG, or a JPEG. */
  async screenshot(format = "png") {
    const { body } = await this.#wire.call("GET", `${this.#path}/screenshot?format=${format}`);
    return Buffer.from(body.image, "base64");
  }

  /** A channel, which is the caller's to close. */
  async channel(kind, query) {
    const { password } = (await this.#wire.call("GET", `${this.#path}/vnc-password`)).body;
    return this.#wire.channel(kind, { computer: this.#record, password }, { query });
  }

  /** The channel of its events of these types. */
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
