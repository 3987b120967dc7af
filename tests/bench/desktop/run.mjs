// Measures the local desktop: `npm run bench -- desktop [ROUNDS]`.
import { cpus, loadavg } from "node:os";
import { argv } from "node:process";
import { Wire } from "../../conformance/wire.mjs";
import { TestComputer } from "../../desktop/computer.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { timeClicks, timeScreenshots } from "./calls.mjs";
import { timeAudio, timeFlood } from "./channels.mjs";
import { measureMemory, timeLifeCycle } from "./life-cycle.mjs";

const ROUNDS = Number(argv[2] ?? 20);
const COMPUTERS = 10;
const CLICKS = 2000;

const desktop = await startDesktop();
try {
  const wire = new Wire(desktop.options);
  const workspace = (await wire.call("POST", "/workspaces", { name: "bench" })).body.id;
  console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(1)}, ${ROUNDS} rounds`);
  console.table(await timeLifeCycle(wire, workspace, ROUNDS));
  console.table(await measureMemory(desktop, wire, workspace, COMPUTERS));
  const computer = await TestComputer.start(wire, workspace, "calls");
  console.table(await timeScreenshots(computer, ROUNDS * 5));
  console.table(await timeClicks(computer, CLICKS));
  console.table(await timeFlood(computer));
  console.table(await timeAudio(computer, ROUNDS));
} finally {
  await desktop.stop();
}
