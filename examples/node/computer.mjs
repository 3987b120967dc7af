// Finds the computer that an example uses.

/**
 * @param {import("orgo-sdk").Orgo} orgo
 * @param {string} [id] the computer's id. Default: the first running computer
 * @returns {Promise<import("orgo-sdk").Computer>}
 */
export async function findComputer(orgo, id) {
  if (id !== undefined) return orgo.computer(id);
  for (const workspace of await orgo.workspaces.list()) {
    // Some servers omit the computers from the list of workspaces.
    const { desktops = [] } = await orgo.workspaces.get(workspace.id);
    const running = desktops.find(({ status }) => status === "running");
    if (running === undefined) continue;
    console.error(`Using ${running.name ?? "a computer"} (${running.id}), the first running computer`);
    return orgo.computer(running.id);
  }
  console.error("No computer is running. Start one in the dashboard (npm start) or call computers.create()");
  process.exit(1);
}
