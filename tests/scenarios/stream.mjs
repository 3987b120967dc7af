import { until } from "../support/wait.mjs";
import { equal, ok, rejects } from "./check.mjs";

/** Starts and stops a stream. Uses the connections `live` and `dead`, with which the tests start the server. */
export async function startsAndStopsStream({ sdk, computer }) {
  equal((await computer.stream.status()).status, "idle", "the status before the start");
  await rejects(computer.stream.start("unknown"), sdk.NotFoundError, "an unknown connection");
  const refused = await rejects(computer.stream.start("dead"), sdk.ServerError, "an unreachable target");
  equal(refused.status, 502, "the status");
  equal((await computer.stream.status()).status, "terminated", "the status after an unreachable target");

  const started = await computer.stream.start("live");
  equal(started.status, "streaming", "the status after the start");
  const current = await computer.stream.status();
  equal(current.pid, started.pid, "its process id");
  ok(Date.parse(current.start_time) > 0, `the start time is not valid: ${current.start_time}`);
  const second = await rejects(computer.stream.start("live"), sdk.ConflictError, "a second stream");
  equal(second.status, 409, "the status");
  equal((await computer.stream.stop()).success, true, "the success of the stop");
  await until("the stream to end", async () => (await computer.stream.status()).status === "idle");
  equal((await computer.stream.stop()).success, false, "the success of a second stop");
}
