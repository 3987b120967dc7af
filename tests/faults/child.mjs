// A process that makes calls when it is told to.
import * as sdk from "orgo-sdk";
import { make } from "./client.mjs";

const { kind } = await sdk.Orgo.bindingInfo();
process.send({ kind });
process.on("message", async ({ id, task }) => {
  const made = await make(sdk, task, () => process.send({ id, retries: true }));
  process.send({ id, made });
});
