// Sends requests with `XMLHttpRequest`. The object of the DOM needs less code here than through wasm-bindgen.

/**
 * Sends a request like `fetch`, and reports its progress: calls `report` with the number of sent bytes of the body, and without an
 * argument for each piece of the response. No function is called after the request was aborted by its signal.
 *
 * A response that exceeds `limit` bytes is canceled. The result then has no body, and its `content-length` exceeds the limit.
 *
 * @param {Request} request the request without its body
 * @param {Uint8Array | Blob | undefined} body
 * @param {number} limit
 * @param {(sent?: number) => void} report
 * @returns {Promise<Response>}
 */
export async function sendXhr(request, body, limit, report) {
  const xhr = new XMLHttpRequest();
  xhr.open(request.method, request.url);
  for (const [name, value] of request.headers) xhr.setRequestHeader(name, value);
  xhr.responseType = "arraybuffer";
  /** Describes the response if it exceeds the limit. The abort of the request clears the status of `xhr`. */
  let tooLarge;
  xhr.upload.onprogress = ({ loaded }) => report(loaded);
  xhr.onreadystatechange = () => xhr.readyState >= XMLHttpRequest.HEADERS_RECEIVED && report();
  // The total is the announced length, or 0.
  xhr.onprogress = ({ loaded, total }) => {
    const size = Math.max(loaded, total);
    // Chromium may report the last piece when the response is complete. An abort would then fire no event, so the request
    // would never end.
    if (size > limit && xhr.readyState !== XMLHttpRequest.DONE) {
      tooLarge = toResponse(xhr.status, null, { "content-length": size });
      xhr.abort();
    }
  };
  request.signal.onabort = () => {
    xhr.upload.onprogress = xhr.onreadystatechange = xhr.onprogress = xhr.onloadend = null;
    xhr.abort();
  };
  await new Promise((resolve) => {
    xhr.onloadend = resolve;
    xhr.send(body);
  });
  if (tooLarge !== undefined) return tooLarge;
  if (xhr.status === 0 || !xhr.response) throw new TypeError("the request failed");
  const headers = new Headers();
  for (const [, name, value] of xhr.getAllResponseHeaders().matchAll(/(.+?): *(.*)/g)) headers.append(name, value);
  return toResponse(xhr.status, xhr.response, headers);
}

/** Creates a response. The constructor accepts no status above 599, and with some others no body, even if it is empty. */
const toResponse = (status, body, headers) => Object.defineProperty(new Response(body, { headers }), "status", { value: status });
