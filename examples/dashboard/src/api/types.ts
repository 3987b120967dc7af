import type { ComputerInfo, StoredFile } from "orgo-sdk";
import type { Problem } from "./problem.js";

/** What the page knows of a computer. */
export interface Computer
  extends Pick<ComputerInfo, "id" | "name" | "status" | "os" | "ram" | "cpu" | "resolution" | "created_at"> {
  /** Why it is broken. */
  problem?: string;
  /** The parts of its desktop that did not come up. */
  missing?: string[];
  workspace: Workspace;
}

export interface Workspace {
  id?: string;
  name?: string;
}

/** A file that the service keeps, as distinct from one of the browser. */
export type { StoredFile };

/** Everything there is, as the server lists it. */
export interface Inventory {
  workspaces: Workspace[];
  computers: Computer[];
  /** The first computer of a local desktop, while it is made or if that failed. */
  first?: { pending: boolean; error?: Problem };
}

/** Whom the server of the page talks to. */
export interface Service {
  host: string;
  local: boolean;
  binding: "native" | "wasm";
  version: string;
}
