import type { ActionResult, ConnectionData, ScreenshotOptions, UploadProgress } from "orgo-sdk";
import type { CallLog } from "./call-log.js";
import { Lines } from "./lines.js";
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

/** An encoded picture of the screen, and the server's name of what is on it. */
export interface Picture {
  blob: Blob;
  tag: string | undefined;
}

/** How large and exact a picture is to be, and the name of the one that is shown. */
export interface PictureRequest extends Pick<ScreenshotOptions, "format" | "scale"> {
  tag?: string | undefined;
}

/** How far an upload is: its way to the service has two halves, over the server of the page. */
export type UploadStep = "sending" | "storing";

/** A line of the answer to an upload. */
type UploadLine = { progress: UploadProgress } | { result: StoredFile; timing: string } | { error: Problem; timing: string };

interface Request {
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
  /** Whether the call is made again and again by itself. */
  polling?: boolean;
  /** The name of an answer that is not wanted again. */
  tag?: string | undefined;
}

/** The server answers only requests with this header, which other pages cannot send. */
const OWN_HEADER = { "x-orgo-dashboard": "1" };

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
  ): Promise<ActionResult> {
    return this.#json("POST", `/computers/${id}/${action}`, { body: params, signal });
  }

  /** A picture of the screen; `undefined` if it is still the one with the tag of the request. */
  async screenshot(id: string, { format, scale, tag }: PictureRequest, signal: AbortSignal): Promise<Picture | undefined> {
    const query = new URLSearchParams();
    if (format !== undefined) query.set("format", format);
    if (scale !== undefined) query.set("scale", String(scale));
    const path = `/computers/${id}/screenshot${query.size > 0 ? `?${query}` : ""}`;
    const response = await this.#fetch("GET", path, { signal, polling: true, tag });
    if (response.status === 304) return undefined;
    return { blob: await response.blob(), tag: response.headers.get("etag") ?? undefined };
  }

  /** What opens the computer's channels: their addresses and the computer's password. */
  connection(id: string, signal: AbortSignal): Promise<ConnectionData> {
    return this.#json("GET", `/computers/${id}/connection`, { signal });
  }

  /** The files that the service keeps for a computer, the oldest first. */
  files(id: string, signal: AbortSignal, polling: boolean): Promise<StoredFile[]> {
    return this.#json("GET", `/computers/${id}/files`, { signal, polling });
  }

  /**
   * Uploads a file. It is sent by XMLHttpRequest, since `fetch` does not tell what has left.
   *
   * @param tell is told how much of the file has come to the page's server, and then how much the service has got
   */
  async upload(
    id: string,
    file: File,
    tell: (step: UploadStep, progress: UploadProgress) => void,
    signal: AbortSignal,
  ): Promise<StoredFile> {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/computers/${id}/files/${encodeURIComponent(file.name)}`);
    const headers = { ...OWN_HEADER, "content-type": file.type || "application/octet-stream" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => tell("sending", { loaded: Math.min(loaded, file.size), total: file.size });
    const lines = new Lines<UploadLine>();
    let last: Exclude<UploadLine, { progress: UploadProgress }> | undefined;
    const read = () => {
      if (request.status !== 200) return;
      for (const line of lines.take(request.responseText)) {
        if ("progress" in line) tell("storing", line.progress);
        else last = line;
      }
    };
    request.onprogress = read;
    const abort = () => request.abort();
    signal.addEventListener("abort", abort);
    try {
      await new Promise((resolve, reject) => {
        request.onload = resolve;
        request.onerror = () => reject(new CallFailed(SERVER_GONE));
        request.onabort = () => reject(signal.reason);
        if (signal.aborted) request.onabort(new ProgressEvent("abort"));
        else request.send(file);
      });
    } finally {
      signal.removeEventListener("abort", abort);
    }
    if (request.status !== 200) throw new CallFailed(problemOf(request.responseText, request.status), request.status);
    read();
    if (last === undefined) throw new CallFailed(SERVER_GONE);
    this.#log.record(last.timing, false);
    if ("error" in last) throw new CallFailed(last.error);
    return last.result;
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

  async #fetch(method: string, path: string, { body, signal, polling = false, tag }: Request): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`/api${path}`, {
        method,
        headers: {
          ...OWN_HEADER,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(tag !== undefined && { "if-none-match": tag }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
        cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new CallFailed(SERVER_GONE);
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
    return error.name === "KeyRequired" ? RESTARTED : error;
  } catch {
    return { name: "Error", message: `The dashboard's server answered ${status}.`, delivered: "maybe" };
  }
}
