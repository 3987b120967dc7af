import type { ConnectionData, UploadProgress } from "orgo-sdk";
import type { CallLog } from "./call-log.js";
import { readLines } from "./lines.js";
import { CallFailed, type Problem, RESTARTED, SERVER_GONE } from "./problem.js";
import type { Computer, Inventory, Service, StoredFile } from "./types.js";

/** What the pointer and the keyboard do on a computer; the parameters are the SDK's. */
export interface Actions {
  click: { x: number; y: number; button?: "left" | "right"; double?: boolean };
  drag: {
    start_x: number;
    start_y: number;
    end_x: number;
    end_y: number;
    button?: "left" | "right";
    duration?: number;
  };
  scroll: { direction: "up" | "down"; amount: number; x: number; y: number };
  type: { text: string };
  key: { key: string };
}

export type ActionName = keyof Actions;
export type Lifecycle = "start" | "stop" | "restart";

/** The parameters of a new computer. */
export interface NewComputer {
  name: string;
  workspace_id?: string;
  ram: number;
  cpu: number;
  resolution: string;
}

/** A line of the answer to an upload. */
type UploadLine =
  | { progress: UploadProgress }
  | { result: StoredFile; timing: string }
  | { error: Problem; timing: string };

interface Request {
  /** A file is sent as it is, anything else as JSON. */
  body?: unknown;
  signal?: AbortSignal;
  /** Whether the call is made again and again by itself. */
  polling?: boolean;
}

/** The calls that the page makes to its server, which holds the API key. */
export class Api {
  readonly #log: CallLog;

  constructor(log: CallLog) {
    this.#log = log;
  }

  service(): Promise<Service> {
    return this.#json("GET", "/service", {});
  }

  inventory(signal: AbortSignal): Promise<Inventory> {
    return this.#json("GET", "/computers", { signal, polling: true });
  }

  create(params: NewComputer): Promise<Computer> {
    return this.#json("POST", "/computers", { body: params });
  }

  async remove(id: string): Promise<void> {
    await this.#fetch("DELETE", `/computers/${id}`, {});
  }

  async change(id: string, lifecycle: Lifecycle): Promise<void> {
    await this.#fetch("POST", `/computers/${id}/${lifecycle}`, {});
  }

  async act<Name extends ActionName>(
    id: string,
    action: Name,
    params: Actions[Name],
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#fetch("POST", `/computers/${id}/${action}`, { body: params, signal });
  }

  /** An encoded picture of the screen. */
  async screenshot(id: string, signal: AbortSignal): Promise<Blob> {
    return (await this.#fetch("GET", `/computers/${id}/screenshot`, { signal, polling: true })).blob();
  }

  /** What opens the computer's channels: their addresses and the computer's password. */
  connection(id: string, signal: AbortSignal): Promise<ConnectionData> {
    return this.#json("GET", `/computers/${id}/connection`, { signal });
  }

  /** The files that the service keeps for a computer, the oldest first. */
  files(id: string, signal: AbortSignal, polling: boolean): Promise<StoredFile[]> {
    return this.#json("GET", `/computers/${id}/files`, { signal, polling });
  }

  /** @param tell is told how much of the file the service has got */
  async upload(
    id: string,
    file: File,
    tell: (progress: UploadProgress) => void,
    signal: AbortSignal,
  ): Promise<StoredFile> {
    const path = `/computers/${id}/files/${encodeURIComponent(file.name)}`;
    const { body } = await this.#fetch("POST", path, { body: file, signal });
    try {
      for await (const line of readLines<UploadLine>(body)) {
        if ("progress" in line) {
          tell(line.progress);
          continue;
        }
        this.#log.record(line.timing, false);
        if ("error" in line) throw new CallFailed(line.error);
        return line.result;
      }
    } catch (error) {
      if (signal.aborted || error instanceof CallFailed) throw error;
    }
    throw new CallFailed(SERVER_GONE);
  }

  /** @param path on the computer: absolute, or from its home folder */
  exportFile(id: string, path: string): Promise<StoredFile> {
    return this.#json("POST", `/computers/${id}/export`, { body: { path } });
  }

  /** Where a file's content is, for an hour and without credentials. */
  async fileLink(id: string): Promise<string> {
    return (await this.#json<{ url: string }>("GET", `/files/${encodeURIComponent(id)}/link`, {})).url;
  }

  async removeFile(id: string): Promise<void> {
    await this.#fetch("DELETE", `/files/${encodeURIComponent(id)}`, {});
  }

  async #json<T>(method: string, path: string, request: Request): Promise<T> {
    return (await this.#fetch(method, path, request)).json() as Promise<T>;
  }

  async #fetch(method: string, path: string, { body, signal, polling = false }: Request): Promise<Response> {
    let response: Response;
    const isFile = body instanceof File;
    const type = isFile ? body.type || "application/octet-stream" : "application/json";
    try {
      response = await fetch(`/api${path}`, {
        method,
        // The server answers only requests with this header, which other pages cannot send.
        headers: { "x-orgo-dashboard": "1", ...(body !== undefined && { "content-type": type }) },
        ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
        cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new CallFailed(SERVER_GONE);
    }
    this.#log.record(response.headers.get("server-timing"), polling);
    if (!response.ok) throw new CallFailed(await problemOf(response));
    return response;
  }
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const { error } = (await response.json()) as { error: Problem };
    return error.name === "KeyRequired" ? RESTARTED : error;
  } catch {
    return { name: "Error", message: `The dashboard's server answered ${response.status}.`, delivered: "maybe" };
  }
}
