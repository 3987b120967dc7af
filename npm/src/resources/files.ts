import type { BlobLike } from "../ambient.js";
import type { BindingContent } from "../binding.js";
import type { Caller } from "../caller.js";
import { Deadline } from "../deadline.js";
import { invalidParameter, messageOf } from "../errors.js";
import { type CallOptions, checkCallOptions, checkFields, checks, checkWellFormed, withParams } from "../options.js";
import type {
  Acknowledged,
  DownloadUrl,
  ExportedFile,
  ExportFileParams,
  ListFilesParams,
  StoredFile,
  UploadFileParams,
} from "../types.js";

/** The content of a file: bytes, a `Blob` or a `File`, also of another realm, such as an iframe. Shared memory is copied. */
export type FileContent = ArrayBufferView | ArrayBuffer | SharedArrayBuffer | BlobLike;

/** The parameters of an upload. */
export interface UploadParams extends UploadFileParams {
  /** The content of the file, at most 10 MB. */
  file: FileContent;
  /** The file name. Default: the name of a `File`. Required for other content. */
  name?: string;
}

/** The progress of an upload. */
export interface UploadProgress {
  /** The number of bytes of the file that have been passed to the network. It never decreases, even if the upload is retried. */
  loaded: number;
  /** The size of the file, in bytes. */
  total: number;
}

/**
 * A listener for the progress of an upload. If the upload succeeds, the last call has `loaded` equal to `total`. There is no call
 * after the upload has settled. An exception that the listener throws is reported as uncaught and does not affect the upload.
 *
 * With WebAssembly in Node, and in service workers, only that last call is made, because `fetch` reports no progress.
 */
export type OnUploadProgress = (progress: UploadProgress) => void;

/** The options of an upload. */
export interface UploadOptions extends CallOptions {
  /** Called when the upload makes progress. Default: none. */
  onProgress?: OnUploadProgress;
}

/** The files of workspaces and computers. See {@link Computer} for the errors of every call. */
export class Files {
  readonly #caller: Caller;

  /** @internal */
  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Uploads a file of at most 10 MB to a workspace or a computer. On a running computer it appears on the desktop.
   *
   * @throws InvalidParameterError if the name is missing, or `file` is of another type or cannot be read.
   */
  async upload(params: UploadParams, options: UploadOptions = {}): Promise<StoredFile> {
    const { file, name, ...fields } = withParams("files.upload", params, {});
    const { onProgress, nextOptions } = uploadOptions(this.#caller, options);
    const upload = { content: await content(file, name, nextOptions(), this.#caller.timeout), onProgress };
    return this.#caller.call("files.upload", fields, nextOptions(), upload);
  }

  /** Lists the files of a workspace or a computer. */
  list(params: ListFilesParams, options?: CallOptions): Promise<StoredFile[]> {
    return this.#caller.call("files.list", params, options);
  }

  /** Copies a file of a running computer to the storage. Returns its URL, which is valid for one hour and needs no credentials. */
  export(params: ExportFileParams, options?: CallOptions): Promise<ExportedFile> {
    return this.#caller.call("files.export", params, options);
  }

  /** Returns the URL of the content of a file. It is valid for one hour and needs no credentials. */
  download(id: string, options?: CallOptions): Promise<DownloadUrl> {
    return this.#caller.call("files.download", { id }, options);
  }

  /**
   * Fetches the content of a file into memory. To stream a large file, fetch the URL that {@link download} returns.
   *
   * @param options Default `maxResponseBytes`: 1073741824 (1 GiB).
   * @throws ResponseTooLargeError if the file is larger.
   */
  async bytes(id: string, options?: CallOptions): Promise<Uint8Array> {
    return (await this.#caller.callWithBytes("files.bytes", { id }, options)).bytes;
  }

  /** Deletes a file. */
  delete(id: string, options?: CallOptions): Promise<Acknowledged> {
    return this.#caller.call("files.delete", { id }, options);
  }
}

/** The stored files of one computer. */
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

  /**
   * Uploads a file of at most 10 MB. On a running computer it appears on the desktop.
   *
   * @throws InvalidParameterError if the name is missing, or `file` is of another type or cannot be read.
   */
  async upload(file: FileContent, params: Pick<UploadParams, "name"> = {}, options: UploadOptions = {}): Promise<StoredFile> {
    checkFields("files.upload", "params", params, { name: checks.string });
    const { onProgress, nextOptions } = uploadOptions(this.#caller, options);
    const upload = { content: await content(file, params.name, nextOptions(), this.#caller.timeout), onProgress };
    const fields = { workspace_id: await this.#workspace(nextOptions()), computer_id: this.#id };
    return this.#caller.call("files.upload", fields, nextOptions(), upload);
  }

  /** Lists the stored files of the computer. */
  async list(options: CallOptions = {}): Promise<StoredFile[]> {
    const nextOptions = this.#caller.stepOptions("files.list", options);
    const params = { workspace_id: await this.#workspace(nextOptions()), computer_id: this.#id };
    return this.#caller.call("files.list", params, nextOptions());
  }

  /**
   * Copies a file of the running computer to the storage. Returns its URL, which is valid for one hour and needs no credentials.
   *
   * @param path An absolute path, or a path relative to the home folder, with or without `~/`.
   */
  export(path: string, options?: CallOptions): Promise<ExportedFile> {
    return this.#caller.call("files.export", { computer_id: this.#id, path }, options);
  }
}

/** Splits the options of an upload into the listener and the options of its calls. */
function uploadOptions(caller: Caller, options: UploadOptions) {
  checkCallOptions("files.upload", options, { onProgress: checks.function });
  const { onProgress, ...callOptions } = options;
  return { onProgress, nextOptions: caller.stepOptions("files.upload", callOptions) };
}

/** Reads the content and the name of a file. */
async function content(
  file: FileContent,
  name: string | undefined,
  { timeout, totalTimeout, signal }: CallOptions,
  defaultTimeout: number,
): Promise<BindingContent> {
  const operation = "files.upload";
  const blob = file as BlobLike;
  const isBlob = typeof file === "object" && file !== null && typeof blob.arrayBuffer === "function";
  const bytes = isBlob ? undefined : copyBytes(file);
  if (!isBlob && bytes === undefined) {
    throw invalidParameter(operation, "file", "must be a Uint8Array, an ArrayBuffer, a Blob or a File");
  }
  const fileName = name ?? (isBlob ? blob.name : undefined);
  if (typeof fileName !== "string" || fileName === "") {
    throw invalidParameter(operation, "name", "must be a non-empty string, unless the file is a File with a name");
  }
  checkWellFormed(operation, "name", fileName);
  const deadline = new Deadline(operation, totalTimeout ?? timeout ?? defaultTimeout, signal);
  const data = bytes ?? new Uint8Array(await deadline.wait(read(operation, blob), "the file was not read"));
  return { name: fileName, content_type: (isBlob && blob.type) || "application/octet-stream", data };
}

/** Reads a `Blob`. This fails for example if the `Blob` refers to a file on the disk that has changed since. */
async function read(operation: string, blob: BlobLike): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch (cause) {
    const problem = `cannot be read: ${messageOf(cause)}; if its file has changed, create the Blob again`;
    throw invalidParameter(operation, "file", problem, cause);
  }
}

/**
 * Copies the bytes of a buffer or a view of any realm. Returns `undefined` for any other value, and for a buffer that was
 * transferred to another thread.
 */
function copyBytes(value: unknown): Uint8Array | undefined {
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    return isBuffer(value) ? new Uint8Array(value).slice() : undefined;
  } catch {
    return undefined;
  }
}

/** Returns whether a value is a buffer of any realm: only then, the getters of this realm accept it. */
function isBuffer(value: unknown): value is ArrayBuffer {
  const classes = typeof SharedArrayBuffer === "undefined" ? [ArrayBuffer] : [ArrayBuffer, SharedArrayBuffer];
  return classes.some(({ prototype }) => {
    try {
      Reflect.get(prototype, "byteLength", value);
      return true;
    } catch {
      return false;
    }
  });
}
