import { LARGEST_FILE } from "../shared/limits.mjs";
import { Refused } from "./guard.mjs";
import { readBytes } from "./http.mjs";

/** The files of a computer, as the page asks for them. */
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
   * Answers as the upload goes on, so that the page sees how much the service has got and not how much came here.
   *
   * @param {string} encoded the file's name as it is in the path
   */
  async upload(computer, encoded, { request, calls, signal }) {
    const name = decode(encoded);
    const file = new Blob([await readBytes(request, LARGEST_FILE)], { type: request.headers["content-type"] });
    return {
      lines: (tell) => {
        const options = { onProgress: tell, signal };
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
    throw new Refused(400, "The name of the file is not encoded as a part of a URL");
  }
}
