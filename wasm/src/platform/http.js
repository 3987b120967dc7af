// Sends HTTP requests. The objects of the DOM need less code and less time here than through wasm-bindgen.

/** The largest announced body that is read at once, in bytes. A stream takes longer than the rest of such a response. */
const SMALL = 4096;

/**
 * Sends a request. Returns the controller that aborts it.
 *
 * Calls `report` without an argument for the header of the response (with `XMLHttpRequest`, for each piece of it), and at the end with
 * a list: the response, its body if it is small, the error, and whether the request is not valid, so that it was certainly not sent.
 * Does not call `report` after the request was aborted.
 *
 * @param {(event?: number | unknown[]) => void} report
 * @param {string} url
 * @param {string} method
 * @param {Headers} headers
 * @param {unknown} body
 * @param {boolean} follows whether `fetch` follows redirects
 * @param {boolean} inNode
 * @param {number | undefined} limit the largest size of the response in bytes, if `report` also receives the number of sent bytes. The
 *   request is then sent with `XMLHttpRequest`, because `fetch` does not report it.
 * @returns {AbortController}
 */
export function send(report, url, method, headers, body, follows, inNode, limit) {
  const controller = new AbortController();
  const { signal } = controller;
  const init = { method, headers, body, signal, redirect: follows ? "follow" : "manual" };
  // Only the response of a GET request may come from a cache. With this option, Chromium also ignores its cache of CORS preflights, so
  // each request would need two round trips. Older versions of workerd throw an exception if the option is set.
  if (method === "GET" && "cache" in Request.prototype) init.cache = "no-store";
  if (inNode && body && Symbol.asyncIterator in body) {
    init.duplex = "half";
    // Node's `fetch` keeps a copy of a stream in memory, to send it again after a redirect, unless redirects are errors.
    init.redirect = "error";
  }
  exchange(url, init, inNode && controller, limit, (event) => signal.aborted || report(event));
  return controller;
}

async function exchange(url, init, owner, limit, report) {
  const outcome = [];
  try {
    let request = url;
    if (owner) {
      // Node keeps only a weak reference to a request, whose collection would break its signal.
      request = new Request(url, init);
      owner.request = request;
    }
    const response = await (limit === undefined ? fetch(request, owner ? undefined : init) : sendXhr(url, init, limit, report));
    outcome[0] = response;
    const length = Number(response.headers.get("content-length"));
    if (length > 0 && length <= SMALL) {
      report();
      outcome[1] = new Uint8Array(await response.arrayBuffer());
    }
  } catch (error) {
    outcome[2] = error;
    outcome[3] = outcome[0] === undefined && !isValid(url, init);
  }
  report(outcome);
}

/** Returns whether a request can be sent. */
function isValid(url, init) {
  try {
    return !!new Request(url, { ...init, body: undefined, duplex: undefined });
  } catch {
    return false;
  }
}

/**
 * Sends a request like `fetch`, and reports its progress: calls `report` with the number of sent bytes of the body, and without an
 * argument for each piece of the response. No function is called after the request was aborted by its signal.
 *
 * A response that exceeds `limit` bytes is canceled. The result then has no body, and its `content-length` exceeds the limit.
 *
 * @returns {Promise<Response>}
 */
async function sendXhr(url, { method, headers, signal, body }, limit, report) {
  const xhr = new XMLHttpRequest();
  xhr.open(method, url);
  for (const [name, value] of headers) xhr.setRequestHeader(name, value);
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
      tooLarge = { status: xhr.status, headers: { "content-length": size } };
      xhr.abort();
    }
  };
  signal.onabort = () => {
    xhr.upload.onprogress = xhr.onreadystatechange = xhr.onprogress = xhr.onloadend = null;
    xhr.abort();
  };
  await new Promise((resolve) => {
    xhr.onloadend = resolve;
    xhr.send(body);
  });
  if (tooLarge !== undefined) return new Response(null, tooLarge);
  if (xhr.status === 0 || !xhr.response) throw new TypeError("the request failed");
  const received = new Headers();
  for (const [, name, value] of xhr.getAllResponseHeaders().matchAll(/(.+?): *(.*)/g)) received.append(name, value);
  // Some statuses forbid a body, even if it is empty.
  return new Response(xhr.response.byteLength > 0 ? xhr.response : null, { status: xhr.status, headers: received });
}
