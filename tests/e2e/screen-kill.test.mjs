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

  test("reconnects after the X server was killed and the computer started again", LIMIT, async () => {
    const screen = await computer.screen();
    assert.equal((await screen.screenshot(PIXEL)).data.length, 4);
    const broken = new Promise((resolve) => screen.on("state", resolve));
    const reconnected = new Promise((resolve) => screen.on("reconnected", resolve));
    const reading = (async () => {
      for await (const _ of screen);
    })();
    const display = desktop.processes().find((id) => readFileSync(`/proc/${id}/comm`, "utf8").trim() === "Xvnc");
    process.kill(Number(display), "SIGKILL");
    const { status, cause } = await broken;
    // The computer does not run without its X server, so the cause is the same as that of a stopped computer.
    assert.deepEqual([status, cause.reason, cause.code], ["reconnecting", "not_running", 4003]);
    assert.equal(screen.move({ x: 1, y: 1 }), false);
    await until("the end of the computer", async () => (await computer.refresh()).status === "error", 60_000);
    await computer.start();
    await reconnected;
    assert.equal((await screen.screenshot(PIXEL)).data.length, 4);
    await screen.close();
    await reading;
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
