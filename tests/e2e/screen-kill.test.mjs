// Tests what a live screen does when the X server of the computer or the whole local desktop is killed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import * as sdk from "orgo-sdk";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";
import { until } from "../support/wait.mjs";

const LIMIT = { timeout: 120_000 };
const PIXEL = { format: "rgba", region: { x: 0, y: 0, width: 1, height: 1 } };

describe("a live screen", { concurrency: false }, () => {
  let computer, desktop;
  before(async () => {
    desktop = await startDesktop();
    ({ computer } = await createComputer(sdk, desktop.options));
  });
  after(() => desktop?.stop());

  test("closes with its reason when the X server is killed, and a new one works after a start", LIMIT, async () => {
    const screen = await computer.screen();
    assert.equal((await screen.screenshot(PIXEL)).data.length, 4);
    const display = desktop.processes().find((id) => readFileSync(`/proc/${id}/comm`, "utf8").trim() === "Xvnc");
    process.kill(Number(display), "SIGKILL");
    const state = await until(
      () => `the end, not ${JSON.stringify(screen.state)}`,
      () => screen.state.status === "closed" && screen.state,
      60_000,
    );
    // The local desktop may not have noticed the end yet: then it cannot open the channel again.
    assert.match(state.cause.reason, /^(?:not_running|failed)$/, state.cause.message);
    await assert.rejects(screen.screenshot(PIXEL), { name: "ChannelClosedError" });
    assert.equal(screen.move({ x: 1, y: 1 }), false);
    await computer.start();
    await computer.waitUntilRunning();
    const next = await computer.screen();
    assert.equal((await next.screenshot(PIXEL)).data.length, 4);
    await next.close();
  });

  test("reconnects after the server was killed and started again", LIMIT, async () => {
    const screen = await computer.screen();
    await screen.screenshot(PIXEL);
    const reconnected = new Promise((resolve) => screen.on("reconnected", resolve));
    const reading = (async () => {
      for await (const _ of screen);
    })();
    const previous = await desktop.kill();
    await until("the state", () => screen.state.status === "reconnecting");
    assert.equal(screen.move({ x: 1, y: 1 }), false);
    const image = screen.screenshot(PIXEL);
    desktop = await startDesktop({ previous });
    await reconnected;
    assert.equal((await image).data.length, 4);
    assert.equal(screen.state.status, "open");
    await screen.close();
    await reading;
  });
});
