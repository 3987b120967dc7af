import type { BlobLike } from "../ambient.js";
import type { BindingContent } from "../binding.js";
import { Bounds } from "../bounded.js";
import type { Caller } from "../caller.js";
import { invalid } from "../errors.js";
import { type CallOptions, checkCallOptions, checkFields, checks, checkWhole } from "../options.js";
import type {
  Acknowledged,
  DownloadUrl,
  ExportedFile,
  ExportFileParams,
  ListFilesParams,
  StoredFile,
  UploadFileParams,
} from "../types.js";

/** The content of a file: bytes, or a `Blob` or `File`. */
export type FileContent = Uint8Array | ArrayBuffer | BlobLike;

/** What to upload. */
export interface UploadParams extends UploadFileParams {
  /** The content. */
  file: FileContent;
  /** The file's name. Required unless `file` is a `File`, which has one. */
  name?: string;
}

/** How far an upload is. */
export interface UploadProgress {
  /** How many bytes of the file the network has taken. It never goes back, also if the upload is sent again. */
  loaded: number;
  /** The size of the file, in bytes. */
  total: number;
}

/**
 * Is called as an upload goes on, at last with `loaded` equal to `total` if the server takes the file, and never once the
 * upload has settled. What it throws is reported as uncaught, and the upload goes on.
 *
 * Over WebAssembly in Node, and in service workers, only that last call is made: `fetch` does not tell what it sends.
 */
export type OnUploadProgress = (progress: UploadProgress) => void;

/** The options of an upload. */
export interface UploadOptions extends CallOptions {
  /** Called as the upload makes progress. */
  onProgress?: OnUploadProgress;
}

/** Files: uploaded to a workspace or a computer, exported from a computer. */
export class Files {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Uploads a file, of at most 10 MB. A running computer finds it on its desktop. */
  async upload({ file, name, ...params }: UploadParams, options: UploadOptions = {}): Promise<StoredFile> {
    const { onProgress, rest } = uploadOptions(this.#caller, options);
    const upload = { content: await content(file, name, rest()), onProgress };
    return this.#caller.call("files.upload", params, rest(), upload);
  }

  /** Lists the files of a workspace or of a computer. */
  list(params: ListFilesParams, options?: CallOptions): Promise<StoredFile[]> {
    return this.#caller.call("files.list", params, options);
  }

  /** Stores a file of a running computer and gives its URL, which is valid for an hour and needs no credentials. */
  export(params: ExportFileParams, options?: CallOptions): Promise<ExportedFile> {
    return this.#caller.call("files.export", params, options);
  }

  /** Gives the URL of a file's content. It is valid for an hour and needs no credentials. */
  download(id: string, options?: CallOptions): Promise<DownloadUrl> {
    return this.#caller.call("files.download", { id }, options);
  }

  /**
   * Fetches a file's content, of at most 1 GiB unless `maxResponseBytes` sets another limit. It is held in memory; to
   * stream a large file, fetch the URL that {@link download} gives.
   */
  async bytes(id: string, options?: CallOptions): Promise<Uint8Array> {
    return (await this.#caller.exchange("files.bytes", { id }, options)).bytes;
  }

  /** Deletes a file. */
  delete(id: string, options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("files.delete", { id }, options);
  }
}

/** The files of one computer. */
export class ComputerFiles {
  readonly #caller: Caller;
  readonly #id: string;
  readonly #workspace: (options: CallOptions) => Promise<string>;

  /** @internal */
  constructor(caller: Caller, id: string, workspace: (options: CallOptions) => Promise<string>) {
    this.#caller = caller;
    this.#id = id;
    this.#workspace = workspace;
  }

  /** Uploads a file, of at most 10 MB. If the computer runs, it is found on its desktop. */
  async upload(file: FileContent, params: Pick<UploadParams, "name"> = {}, options: UploadOptions = {}): Promise<StoredFile> {
    checkFields("files.upload", "params", params, { name: checks.string });
    const { onProgress, rest } = uploadOptions(this.#caller, options);
    const upload = { content: await content(file, params.name, rest()), onProgress };
    const fields = { workspace_id: await this.#workspace(rest()), computer_id: this.#id };
    return this.#caller.call("files.upload", fields, rest(), upload);
  }

  /** Lists the computer's stored files. */
  async list(options: CallOptions = {}): Promise<StoredFile[]> {
    const rest = this.#caller.sharing("files.list", options);
    const params = { workspace_id: await this.#workspace(rest()), computer_id: this.#id };
    return this.#caller.call("files.list", params, rest());
  }

  /** Stores a file of the running computer and gives its URL. `path` is absolute, relative to the home, or with `~/`. */
  export(path: string, options?: CallOptions): Promise<ExportedFile> {
    return this.#caller.call("files.export", { computer_id: this.#id, path }, options);
  }
}

/** Takes the options of an upload apart: those of its calls, and the listener. */
function uploadOptions(caller: Caller, options: UploadOptions) {
  checkCallOptions("files.upload", options, { onProgress: checks.function });
  const { onProgress, ...others } = options;
  return { onProgress, rest: caller.sharing("files.upload", others) };
}

async function content(
  file: FileContent,
  name: string | undefined,
  { totalTimeout, signal }: CallOptions,
): Promise<BindingContent> {
  const operation = "files.upload";
  const blob = file as BlobLike;
  const isBlob = typeof file === "object" && file !== null && "arrayBuffer" in file;
  if (!isBlob && !(file instanceof Uint8Array) && !(file instanceof ArrayBuffer)) {
    throw invalid(operation, "file", "must be a Uint8Array, an ArrayBuffer, a Blob or a File");
  }
  const chosen = name ?? (isBlob ? blob.name : undefined);
  if (typeof chosen !== "string" || chosen === "") {
    throw invalid(operation, "name", "must be a string that is not empty, unless the file is a File with a name");
  }
  checkWhole(operation, "name", chosen);
  const bounds = new Bounds(operation, totalTimeout, signal);
  const data = isBlob
    ? new Uint8Array(await bounds.wait(blob.arrayBuffer(), "the file was not read"))
    : new Uint8Array(file as Uint8Array | ArrayBuffer);
  return { name: chosen, content_type: (isBlob && blob.type) || "application/octet-stream", data };
}
