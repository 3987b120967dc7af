import type { ActionResult, ConnectionData, ScreenshotOptions, UploadProgress } from "orgo-sdk";
import type { CallLog } from "./call-log.js";
import { NdjsonReader } from "./ndjson.js";
import { CallFailed, type Problem, SERVER_RESTARTED, SERVER_UNREACHABLE } from "./problem.js";
import type { Computer, Inventory, Service, StoredFile } from "./types.js";

/** The input actions of a computer with their SDK parameters. */
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

/** An encoded screenshot and its `ETag`. */
export interface Screenshot {
  blob: Blob;
  etag: string | undefined;
}

/** The format and scale of a screenshot, and the `ETag` of the screenshot that is shown. */
export interface ScreenshotRequest extends Pick<ScreenshotOptions, "format" | "scale"> {
  etag?: string | undefined;
}

/** The step of an upload: first `sending` (from the page to its server), then `storing` (from the server to the service). */
export type UploadStep = "sending" | "storing";

/** A line of the response to an upload. */
type UploadLine = { progress: UploadProgress } | { result: StoredFile; timing: string } | { error: Problem; timing: string };

interface Request {
  /** The value to send as JSON. */
  body?: unknown;
  signal?: AbortSignal;
  /** Whether the page makes the call periodically. */
  polling?: boolean;
  /** The `ETag` for the `If-None-Match` header. */
  etag?: string | undefined;
}

/** The server rejects requests without this header. Pages of other origins cannot send it. */
const OWN_HEADER = { "x-orgo-dashboard": "1" };

/** The page's client for its server, which holds the API key. */
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
  ): Promise<ActionResult> {
    return this.#json("POST", `/computers/${id}/${action}`, { body: params, signal });
  }

  /** Takes a screenshot. Resolves with `undefined` if the screenshot has the same `ETag` as the request. */
  async screenshot(id: string, { format, scale, etag }: ScreenshotRequest, signal: AbortSignal): Promise<Screenshot | undefined> {
    const query = new URLSearchParams();
    if (format !== undefined) query.set("format", format);
    if (scale !== undefined) query.set("scale", String(scale));
    const path = `/computers/${id}/screenshot${query.size > 0 ? `?${query}` : ""}`;
    const response = await this.#fetch("GET", path, { signal, polling: true, etag });
    if (response.status === 304) return undefined;
    return { blob: await response.blob(), etag: response.headers.get("etag") ?? undefined };
  }

  /** Fetches the addresses and the password for the computer's channels. */
  connection(id: string, signal: AbortSignal): Promise<ConnectionData> {
    return this.#json("GET", `/computers/${id}/connection`, { signal });
  }

  /** Lists the files that the service stores for a computer, oldest first. */
  files(id: string, signal: AbortSignal, polling: boolean): Promise<StoredFile[]> {
    return this.#json("GET", `/computers/${id}/files`, { signal, polling });
  }

  /**
   * Uploads a file. Uses XMLHttpRequest because `fetch` does not report upload progress.
   *
   * @param onProgress receives the progress of the transfer to the page's server, then of the transfer to the service
   */
  async upload(
    id: string,
    file: File,
    onProgress: (step: UploadStep, progress: UploadProgress) => void,
    signal: AbortSignal,
  ): Promise<StoredFile> {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/computers/${id}/files/${encodeURIComponent(file.name)}`);
    const headers = { ...OWN_HEADER, "content-type": file.type || "application/octet-stream" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress("sending", { loaded: Math.min(loaded, file.size), total: file.size });
    const reader = new NdjsonReader<UploadLine>();
    let outcome: Exclude<UploadLine, { progress: UploadProgress }> | undefined;
    const read = () => {
      if (request.status !== 200) return;
      for (const line of reader.read(request.responseText)) {
        if ("progress" in line) onProgress("storing", line.progress);
        else outcome = line;
      }
    };
    request.onprogress = read;
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    try {
      await new Promise((resolve, reject) => {
        request.onload = resolve;
        request.onerror = () => reject(new CallFailed(SERVER_UNREACHABLE));
        request.onabort = () => reject(signal.reason);
        if (signal.aborted) request.onabort(new ProgressEvent("abort"));
        else request.send(file);
      });
    } finally {
      signal.removeEventListener("abort", abort);
    }
    if (request.status !== 200) throw new CallFailed(problemOf(request.responseText, request.status), request.status);
    read();
    if (outcome === undefined) throw new CallFailed(SERVER_UNREACHABLE);
    this.#log.record(outcome.timing, false);
    if ("error" in outcome) throw new CallFailed(outcome.error);
    return outcome.result;
  }

  /** Exports a file of the computer. `path` is absolute or relative to the home folder. */
  exportFile(id: string, path: string): Promise<StoredFile> {
    return this.#json("POST", `/computers/${id}/export`, { body: { path } });
  }

  /** Fetches a link to the content of a file. The link is valid for an hour and needs no credentials. */
  async fileLink(id: string): Promise<string> {
    return (await this.#json<{ url: string }>("GET", `/files/${encodeURIComponent(id)}/link`, {})).url;
  }

  async removeFile(id: string): Promise<void> {
    await this.#fetch("DELETE", `/files/${encodeURIComponent(id)}`, {});
  }

  async #json<T>(method: string, path: string, request: Request): Promise<T> {
    return (await this.#fetch(method, path, request)).json() as Promise<T>;
  }

  async #fetch(method: string, path: string, { body, signal, polling = false, etag }: Request): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`/api${path}`, {
        method,
        headers: {
          ...OWN_HEADER,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(etag !== undefined && { "if-none-match": etag }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
        cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new CallFailed(SERVER_UNREACHABLE);
    }
    this.#log.record(response.headers.get("server-timing"), polling);
    if (!response.ok && response.status !== 304) {
      throw new CallFailed(problemOf(await response.text(), response.status), response.status);
    }
    return response;
  }
}

function problemOf(body: string, status: number): Problem {
  try {
    const { error } = JSON.parse(body) as { error: Problem };
    return error.name === "KeyRequired" ? SERVER_RESTARTED : error;
  } catch {
    return { name: "Error", message: `The dashboard's server responded with status ${status}.`, delivered: "maybe" };
  }
}
