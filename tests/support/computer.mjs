// Creates the computer that the scenarios use, in Node and in pages.

/**
 * Creates a workspace with a computer, and waits until the computer is running.
 *
 * @param {typeof import("orgo-sdk")} sdk
 * @param {import("orgo-sdk").OrgoOptions} options the settings for a client of the local desktop
 */
export async function createComputer(sdk, options) {
  const orgo = new sdk.Orgo(options);
  const workspace = await orgo.workspaces.create({ name: `tests-${Date.now()}` });
  const computer = await orgo.computers.create({ workspace_id: workspace.id, name: "shared" });
  await computer.waitUntilRunning();
  return { sdk, options, orgo, workspace, computer };
}
