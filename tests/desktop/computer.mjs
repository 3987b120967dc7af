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
    const show = async () => (await wire.call("GET", `/computers/${body.id}`)).body;
    const runs = async () => {
      const record = await show();
      return record.status === "running" && record;
    };
    return new TestComputer(wire, await until("the computer to run", runs, 60_000));
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

  /** The screen as a PNG file. */
  async screenshot() {
    const { body } = await this.#wire.call("GET", `${this.#path}/screenshot`);
    return Buffer.from(body.image, "base64");
  }

  /** Its events of these types; the channel is the caller's to close. */
  async events(...types) {
    const { password } = (await this.#wire.call("GET", `${this.#path}/vnc-password`)).body;
    const events = await this.#wire.channel("events", { computer: this.#record, password });
    events.send({ type: "subscribe", event_types: types });
    await events.find((frame) => frame.type === "subscribed");
    return events;
  }

  delete() {
    return this.#wire.call("DELETE", this.#path);
  }
}
