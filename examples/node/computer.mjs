// The computer that an example works with.

/**
 * @param {import("orgo-sdk").Orgo} orgo
 * @param {string} [id] the computer's id; without it the first one that runs
 * @returns {Promise<import("orgo-sdk").Computer>}
 */
export async function findComputer(orgo, id) {
  if (id !== undefined) return orgo.computer(id);
  for (const workspace of await orgo.workspaces.list()) {
    // Some servers leave the computers out of the list of workspaces.
    const { desktops = [] } = await orgo.workspaces.get(workspace.id);
    const running = desktops.find(({ status }) => status === "running");
    if (running === undefined) continue;
    console.error(`Taking ${running.name ?? "a computer"} (${running.id}), the first one that runs`);
    return orgo.computer(running.id);
  }
  console.error("No computer runs. Start one in the dashboard (npm start), or with computers.create()");
  process.exit(1);
}
