import type { ComputerInfo, StoredFile } from "orgo-sdk";
import type { Problem } from "./problem.js";

/** The fields of a computer that the page uses. */
export interface Computer
  extends Pick<ComputerInfo, "id" | "name" | "status" | "os" | "ram" | "cpu" | "resolution" | "created_at"> {
  /** The reason for the status `error`. */
  problem?: string;
  /** The parts of the computer's desktop that did not start. */
  missing?: string[];
  workspace: Workspace;
}

export interface Workspace {
  id?: string;
  name?: string;
}

/** A file that the service stores, unlike the browser's `File`. */
export type { StoredFile };

/** All workspaces and computers of the account. */
export interface Inventory {
  workspaces: Workspace[];
  computers: Computer[];
  /** The state of creating the first computer of a local desktop. Absent before the creation begins and after it succeeds. */
  first?: { pending: boolean; error?: Problem };
}

/** The service that the page's server uses, and the server's SDK. */
export interface Service {
  host: string;
  local: boolean;
  binding: "native" | "wasm";
  version: string;
}
