import { until } from "../support/wait.mjs";
import { equal, ok, rejects } from "./check.mjs";

/** The connections are those that support/desktop.mjs gives the server. */
export async function streamIsStartedAndStopped({ sdk, computer }) {
  equal((await computer.stream.status()).status, "idle", "the status before");
  await rejects(computer.stream.start("unknown"), sdk.NotFoundError, "a connection that nobody named");
  const refused = await rejects(computer.stream.start("dead"), sdk.ServerError, "a target that does not answer");
  equal(refused.status, 502, "the status");
  equal((await computer.stream.status()).status, "terminated", "the status after a dead target");

  const started = await computer.stream.start("live");
  equal(started.status, "streaming", "the status when it has begun");
  const shown = await computer.stream.status();
  equal(shown.pid, started.pid, "its process");
  ok(Date.parse(shown.start_time) > 0, `its start is no time: ${shown.start_time}`);
  const second = await rejects(computer.stream.start("live"), sdk.ConflictError, "a second stream");
  equal(second.status, 409, "the status");
  equal((await computer.stream.stop()).success, true, "whether it was stopped");
  await until("the stream to end", async () => (await computer.stream.status()).status === "idle");
  equal((await computer.stream.stop()).success, false, "whether there was another to stop");
}
