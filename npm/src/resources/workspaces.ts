import type { Caller } from "../caller.js";
import type { CallOptions } from "../options.js";
import type { Acknowledged, CreateWorkspaceParams, Workspace } from "../types.js";

/** The workspaces of the account, which group computers and files. See {@link Computer} for the errors of every call. */
export class Workspaces {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Creates a workspace. Its name must be unique in the account. */
  create(params: CreateWorkspaceParams, options?: CallOptions): Promise<Workspace> {
    return this.#caller.call("workspaces.create", params, options);
  }

  /** Lists all workspaces. The list is not paginated. */
  list(options?: CallOptions): Promise<Workspace[]> {
    return this.#caller.call("workspaces.list", {}, options);
  }

  /**
   * Fetches a workspace with its computers.
   *
   * @throws NotFoundError if it does not exist.
   */
  get(id: string, options?: CallOptions): Promise<Workspace> {
    return this.#caller.call("workspaces.get", { id }, options);
  }

  /** Deletes a workspace and all computers in it. */
  delete(id: string, options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("workspaces.delete", { id }, options);
  }
}
