import type { Caller, FileStream } from "../caller.js";
import { type CallOptions, checkCallOptions, checkFields, checks, copyOf } from "../options.js";
import type {
  Acknowledged,
  DownloadUrl,
  ExportedFile,
  ExportFileParams,
  ListFilesParams,
  StoredFile,
  UploadFileParams,
} from "../types.js";
import { copyBytes } from "../upload/bytes.js";
import type { Description, FileContent } from "../upload/content.js";

/** The name and the size of a file to upload. */
export interface UploadDescription {
  /** The file name. Default: the name of a `File`, or the last part of a path. Required for other content. */
  name?: string;
  /**
   * The size of a stream, in bytes. Without it, the request is sent with chunked transfer coding, which some servers and proxies do
   * not accept. Default: unknown.
   */
  size?: number;
}

/** The parameters of an upload. */
export interface UploadParams extends UploadFileParams, UploadDescription {
  /** The content of the file, at most 10 MB. */
  file: FileContent;
}

/** The progress of an upload. */
export interface UploadProgress {
  /** The number of bytes of the file that have been passed to the network. It never decreases, even if the upload is retried. */
  loaded: number;
  /** The size of the file, in bytes. `Infinity` for a stream of unknown size, until the upload is complete. */
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
   * In Node, a large file is read while it is sent, and not kept in memory. A stream is read once, so it is not resent after
   * a failure; it is canceled if it was not read to its end.
   *
   * @throws InvalidParameterError if the name is missing, or `file` is of another type or cannot be read completely. The server
   * has not stored the file then.
   */
  async upload(params: UploadParams, options: UploadOptions = {}): Promise<StoredFile> {
    const { file, name, size, ...fields } = copyOf("files.upload", "params", params);
    return upload(this.#caller, file, { name, size }, options, () => fields);
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
   * Fetches the content of a file into memory. For a large file, use {@link stream}.
   *
   * @param options Default `maxResponseBytes`: 1073741824 (1 GiB).
   * @throws ResponseTooLargeError if the file is larger.
   */
  async bytes(id: string, options?: CallOptions): Promise<Uint8Array> {
    return (await this.#caller.callWithBytes("files.bytes", { id }, options)).bytes;
  }

  /**
   * Streams the content of a file. The promise resolves when the header of the response arrives; `timeout` and `totalTimeout` apply until
   * then. After that, `idleTimeout` limits each wait of a read, and the signal aborts the stream.
   *
   * The stream fails if the connection breaks before the end of the content.
   *
   * @param options Default `maxResponseBytes`: no limit.
   */
  stream(id: string, options?: CallOptions): Promise<FileStream> {
    return this.#caller.stream("files.stream", { id }, options);
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
   * See {@link Files.upload}.
   */
  async upload(file: FileContent, params: UploadDescription = {}, options: UploadOptions = {}): Promise<StoredFile> {
    checkFields("files.upload", "params", params, { name: checks.string, size: checks.fileSize });
    const fields = async (options: CallOptions) => ({ workspace_id: await this.#workspace(options), computer_id: this.#id });
    const { name, size } = params;
    return upload(this.#caller, file, { name, size }, options, fields);
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

/** Uploads a file, and releases it at the end. */
async function upload(
  caller: Caller,
  file: FileContent,
  description: Description,
  options: UploadOptions,
  fields: (options: CallOptions) => UploadFileParams | Promise<UploadFileParams>,
): Promise<StoredFile> {
  checkCallOptions("files.upload", options, { onProgress: checks.function });
  const { onProgress, ...callOptions } = options;
  const nextOptions = caller.stepOptions("files.upload", callOptions);
  const { platform, timeout } = caller;
  platform.holdStream?.(file);
  // The caller may change the bytes after this call.
  const bytes = copyBytes(file);
  const { binding, source } = await platform.openContent(platform, file, bytes, description, nextOptions(), timeout);
  try {
    const where = await fields(nextOptions());
    return await caller.call("files.upload", where, nextOptions(), { content: binding, source, onProgress });
  } catch (error) {
    throw source?.explain(error) ?? error;
  } finally {
    await source?.close();
  }
}
