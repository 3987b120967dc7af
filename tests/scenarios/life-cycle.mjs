import { until } from "../support/wait.mjs";
import { equal, ok, rejects } from "./check.mjs";

export async function changesState({ sdk, orgo, workspace }) {
  const name = `life-${Date.now()}`;
  const computer = await orgo.computers.create({ workspace_id: workspace.id, name });
  equal(computer.info.name, name, "its name");
  await computer.waitUntilRunning();
  const { desktops } = await orgo.workspaces.get(workspace.id);
  ok(
    desktops.some(({ id }) => id === computer.id),
    "the workspace does not list the computer",
  );
  await computer.bash("echo kept > ~/kept");

  await computer.stop();
  await until("the computer to stop", async () => (await computer.refresh()).status === "stopped");
  const refused = await rejects(computer.click({ x: 1, y: 1 }), sdk.APIError, "a click on a stopped computer");
  ok([400, 409].includes(refused.status), `the status is ${refused.status}`);

  await computer.start();
  await computer.waitUntilRunning();
  equal((await computer.bash("cat ~/kept")).output, "kept\n", "a file from before the stop");

  const before = (await orgo.computers.vncPassword(computer.id)).password;
  await computer.restart();
  await until("a new password", async () => (await orgo.computers.vncPassword(computer.id)).password !== before);
  await computer.waitUntilRunning();
  equal((await computer.screenshot()).width, 1280, "the width of its screen");

  await computer.delete();
  await rejects(computer.refresh(), sdk.NotFoundError, "a deleted computer");
}

export async function endsBlockOfDeletedComputer({ orgo }) {
  const workspace = await orgo.workspaces.create({ name: `block-${Date.now()}` });
  const computer = await orgo.computers.create({ workspace_id: workspace.id, name: "deleted" });
  await orgo.workspaces.delete(workspace.id);
  // The end of an `await using` block.
  await computer[Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]();
}
