// The requests of the platform. Objects of the DOM need less code here than through wasm-bindgen.

/**
 * One request and its response.
 *
 * @typedef {object} Exchange
 * @property {(name: string, value: string) => void} header Adds a header field. Throws if it is not valid.
 * @property {(body: Uint8Array | Blob | AsyncIterable<Uint8Array> | undefined) => void} build Sets the body. Throws if the request is
 *   not valid. Only Node can send an iterable.
 * @property {() => Promise<void>} send Sends the request. The promise resolves when the header of the response has arrived.
 * @property {() => number} status
 * @property {() => string} headers Returns the header of the response, as lines of the form `name:value`.
 * @property {() => number} redirect Returns 0 if there was no redirect to another origin, 1 if it was followed, and 2 if it was not.
 * @property {() => boolean} tooLarge Returns whether the response was canceled, because it exceeds the limit.
 * @property {() => Promise<Uint8Array | undefined>} read Returns the next piece of the body, or `undefined` at its end.
 * @property {() => void} abort Aborts the request. No function is called afterward.
 */

/** The largest announced body that is read at once, in bytes. A stream takes longer than the rest of such a response. */
const SMALL = 4096;

const originOf = (url) => new URL(url).origin;

/** @returns {Exchange} */
export function openFetch(method, url, redirect) {
  const headers = [];
  // The signal is private, because a caller may abort with any reason, but a failure is expected to be an `Error`.
  const controller = new AbortController();
  let request;
  let response;
  let reader;
  /** Whether the body is read at once, and was not read yet. */
  let isSmall = false;
  /** Whether the whole body was read. */
  let complete = false;
  return {
    header: (name, value) => headers.push([name, value]),
    build(body) {
      const init = { method, headers, body, redirect, signal: controller.signal };
      // Node's `fetch` keeps a copy of a stream in memory, to send it again after a redirect, unless redirects are errors.
      if (body?.[Symbol.asyncIterator]) Object.assign(init, { duplex: "half", redirect: "error" });
      // Older versions of workerd have no HTTP cache, and throw an exception if the option is set.
      if ("cache" in Request.prototype) init.cache = "no-store";
      // Node keeps only a weak reference to a request, whose collection would break its signal. So this object keeps it.
      request = new Request(url, init);
    },
    async send() {
      response = await fetch(request);
      const announced = Number(response.headers.get("content-length"));
      if (announced > 0 && announced <= SMALL) isSmall = true;
      else reader = response.body?.getReader();
    },
    status: () => response.status,
    headers: () => [...response.headers].map((field) => field.join(":")).join("\n"),
    redirect() {
      if (response.type === "opaqueredirect") return 2;
      return response.redirected && originOf(response.url) !== originOf(request.url) ? 1 : 0;
    },
    tooLarge: () => false,
    read() {
      const finish = (piece) => {
        complete = piece === undefined || reader === undefined;
        return piece;
      };
      if (isSmall) {
        isSmall = false;
        return response.arrayBuffer().then((body) => finish(new Uint8Array(body)));
      }
      return reader === undefined ? Promise.resolve() : reader.read().then(({ value }) => finish(value));
    },
    // An abort of a complete request would only take time.
    abort: () => complete || controller.abort(),
  };
}

/**
 * Opens a request that reports its progress: calls `report` with the number of sent bytes of the body, and without an argument for
 * each piece of the response. Returns `undefined` if the platform has no `XMLHttpRequest`, as in Node and in service workers.
 *
 * @returns {Exchange | undefined}
 */
export function openXhr(method, url, limit, report) {
  if (!("XMLHttpRequest" in globalThis)) return undefined;
  const xhr = new XMLHttpRequest();
  xhr.open(method, url);
  xhr.responseType = "arraybuffer";
  let content;
  /** The status of a response that exceeds the limit. The abort of the request clears the status of `xhr`. */
  let tooLarge;
  return {
    header: (name, value) => xhr.setRequestHeader(name, value),
    build(body) {
      content = body;
    },
    async send() {
      xhr.upload.onprogress = ({ loaded }) => report(loaded);
      xhr.onreadystatechange = () => xhr.readyState >= XMLHttpRequest.HEADERS_RECEIVED && report();
      // The total is the announced length, or 0.
      xhr.onprogress = ({ loaded, total }) => {
        // Chromium may report the last piece when the response is complete. An abort would then fire no event, so the request
        // would never end.
        if (Math.max(loaded, total) > limit && xhr.readyState !== XMLHttpRequest.DONE) {
          tooLarge = xhr.status;
          xhr.abort();
        }
      };
      await new Promise((resolve) => {
        xhr.onloadend = resolve;
        xhr.send(content);
      });
      content = undefined;
      if (tooLarge !== undefined) return;
      if (xhr.status === 0 || !xhr.response) throw new TypeError("the request failed");
      content = new Uint8Array(xhr.response);
    },
    status: () => tooLarge ?? xhr.status,
    headers: () => xhr.getAllResponseHeaders(),
    redirect: () => 0,
    tooLarge: () => tooLarge !== undefined,
    async read() {
      const piece = content;
      content = undefined;
      return piece;
    },
    abort() {
      xhr.upload.onprogress = xhr.onreadystatechange = xhr.onprogress = xhr.onloadend = null;
      xhr.abort();
    },
  };
}
