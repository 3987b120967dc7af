import type { Caller } from "../caller.js";
import type { CallOptions } from "../options.js";
import type { Acknowledged, CreateWorkspaceParams, Workspace } from "../types.js";

/** Workspaces: the groups that computers and files belong to. */
export class Workspaces {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Creates a workspace, under a name that the account does not have yet. */
  create(params: CreateWorkspaceParams, options?: CallOptions): Promise<Workspace> {
    return this.#caller.call("workspaces.create", params, options);
  }

  /** Lists every workspace. There are no pages. */
  list(options?: CallOptions): Promise<Workspace[]> {
    return this.#caller.call("workspaces.list", {}, options);
  }

  /** Fetches a workspace with its computers. */
  get(id: string, options?: CallOptions): Promise<Workspace> {
    return this.#caller.call("workspaces.get", { id }, options);
  }

  /** Deletes a workspace and every computer in it. */
  delete(id: string, options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("workspaces.delete", { id }, options);
  }
}
