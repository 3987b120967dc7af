// Runs the scenarios in this process with one binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { scenarios } from "../scenarios/index.mjs";
import { createComputer } from "../support/computer.mjs";
import { startCounter } from "../support/counter.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { decodePng } from "../support/png.mjs";
import { freePort, startReceiver } from "../support/receiver.mjs";

/** @param {"native" | "wasm"} kind */
export function runScenarios(kind) {
  describe(`the ${kind} binding in Node`, () => {
    const logged = [];
    let desktop;
    let counter;
    let receiver;
    let env;
    before(async () => {
      // The package reads this variable when it loads the binding.
      process.env.ORGO_BINDING = kind;
      const sdk = await import("orgo-sdk");
      assert.equal((await sdk.Orgo.bindingInfo()).kind, kind);
      receiver = await startReceiver();
      const connections = { live: receiver.url, dead: `rtmp://127.0.0.1:${await freePort()}/live` };
      desktop = await startDesktop({ connections });
      counter = await startCounter();
      const log = (message) => logged.push(message);
      env = {
        ...(await createComputer(sdk, {
          ...desktop.options,
          logger: { debug: log, info: log, warn: log, error: log },
          logLevel: "debug",
        })),
        counter: counter.url,
        decode: async (image) => decodePng(image),
      };
    });
    after(async () => {
      await counter?.close();
      await desktop?.stop();
      await receiver?.close();
    });
    for (const [name, scenario] of Object.entries(scenarios)) {
      test(name, { timeout: 60_000 }, () => scenario(env));
    }
    test("the logs of the client and the server contain no secrets", async () => {
      const { password } = await env.orgo.computers.vncPassword(env.computer.id);
      const text = [...logged, desktop.log].join("\n");
      assert.notEqual(logged.length, 0);
      for (const secret of [desktop.options.apiKey, password]) assert.equal(text.includes(secret), false);
    });
  });
}
