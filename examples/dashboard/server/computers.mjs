/**
 * Lists all workspaces with their computers. Some versions of the service omit the computers from the list of workspaces. Then
 * the function gets each workspace separately.
 *
 * @param {import("orgo-sdk").Orgo} orgo
 * @param {import("./calls.mjs").Calls} calls
 * @param {import("orgo-sdk").CallOptions} options
 * @returns {Promise<import("orgo-sdk").Workspace[]>}
 */
export async function listWorkspaces(orgo, calls, options) {
  const workspaces = await calls.time("workspaces.list", () => orgo.workspaces.list(options));
  return Promise.all(
    workspaces.map((workspace) =>
      workspace.desktops === undefined && workspace.computer_count !== 0
        ? calls.time("workspaces.get", () => orgo.workspaces.get(workspace.id, options))
        : workspace,
    ),
  );
}

/**
 * Creates a computer in the given workspace. Default: the first workspace, or a new workspace if the account has none.
 *
 * @param {import("orgo-sdk").Orgo} orgo
 * @param {import("./calls.mjs").Calls} calls
 * @param {Record<string, unknown>} params the parameters of `computers.create`; `workspace_id` is optional
 * @param {import("orgo-sdk").CallOptions} [options]
 * @param {string} [newWorkspace] the name of the workspace to create if the account has none
 * @returns {Promise<import("orgo-sdk").Computer>}
 */
export async function createComputer(orgo, calls, params, options, newWorkspace = "dashboard") {
  const workspace_id = params.workspace_id ?? (await anyWorkspace(orgo, calls, options, newWorkspace)).id;
  return calls.time("computers.create", () => orgo.computers.create({ ...params, workspace_id }, options));
}

async function anyWorkspace(orgo, calls, options, name) {
  const [first] = await calls.time("workspaces.list", () => orgo.workspaces.list(options));
  return first ?? calls.time("workspaces.create", () => orgo.workspaces.create({ name }, options));
}

/**
 * Returns the fields of a computer that the page uses.
 *
 * @param {import("orgo-sdk").ComputerInfo} info
 * @param {import("orgo-sdk").Workspace} [workspace]
 */
export function summary(info, workspace) {
  const { id, name, status, os, ram, cpu, resolution, created_at, instance_details } = info;
  // The reason for the status `error`, if the service reports one.
  const problem = typeof instance_details?.error === "string" ? instance_details.error : undefined;
  const missing = Array.isArray(instance_details?.missing_parts) ? instance_details.missing_parts : [];
  const workspaceInfo = {
    id: workspace?.id ?? info.workspace_id ?? info.project_id,
    name: workspace?.name ?? info.project_name,
  };
  return { id, name, status, os, ram, cpu, resolution, created_at, problem, missing, workspace: workspaceInfo };
}
