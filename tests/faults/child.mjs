// A child process that runs tasks with one binding.
import * as sdk from "orgo-sdk";
import { makeCall } from "./call.mjs";
import { trigger } from "./error-cases.mjs";

const tasks = { makeCall, trigger };
const { kind } = await sdk.Orgo.bindingInfo();
process.send({ kind });
process.on("message", async ({ id, name, task }) => {
  const done = await tasks[name](sdk, task, () => process.send({ id, retries: true }));
  process.send({ id, done });
});
