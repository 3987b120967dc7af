import { MAX_FILE_SIZE } from "../shared/limits.mjs";
import { HttpError } from "./guard.mjs";
import { readBytes } from "./http.mjs";

/** Handles the page's requests for the files of a computer. */
export class Files {
  #orgo;

  /** @param {import("orgo-sdk").Orgo} orgo */
  constructor(orgo) {
    this.#orgo = orgo;
  }

  async list(computer, { calls, signal }) {
    return { json: await calls.time("files.list", () => this.#orgo.computer(computer).files.list({ signal })) };
  }

  /**
   * Uploads a file to the service. Reports the progress of this transfer, not of the transfer from the page to this server.
   *
   * @param {string} encoded the percent-encoded file name from the path of the request
   */
  async upload(computer, encoded, { request, calls, signal }) {
    const name = decode(encoded);
    const file = new Blob([await readBytes(request, MAX_FILE_SIZE)], { type: request.headers["content-type"] });
    return {
      longCall: (onProgress) => {
        const options = { onProgress, signal };
        return calls.time("files.upload", () => this.#orgo.computer(computer).files.upload(file, { name }, options));
      },
    };
  }

  async export(computer, { path }, { calls }) {
    const { file } = await calls.time("files.export", () => this.#orgo.computer(computer).files.export(path));
    return { status: 201, json: file };
  }

  async link(id, { calls, signal }) {
    return { json: await calls.time("files.download", () => this.#orgo.files.download(id, { signal })) };
  }

  async delete(id, { calls }) {
    return { json: await calls.time("files.delete", () => this.#orgo.files.delete(id)) };
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpError(400, "The file name in the URL must be percent-encoded UTF-8");
  }
}
