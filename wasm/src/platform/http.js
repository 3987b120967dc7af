// Sends HTTP requests. The objects of the DOM need less code and less time here than through wasm-bindgen.

/** The largest announced body that is read at once, in bytes. A stream takes longer than the rest of such a response. */
const SMALL = 4096;

/** Whether the module is one of those for pages, from which the build removes the code for other hosts. */
const IN_PAGE = globalThis.ORGO_IN_PAGE === true;

// The events of a request, as in `http.rs`.
const PIECE = 0;
const SENT = 1;
const RESPONSE = 2;
const CUT_OFF = 3;
const FAILED = 4;
const INVALID = 5;

const NOTHING = new Uint8Array();

/**
 * The header fields of a response that the module reads, without `content-length`: `RESPONSE_FIELDS` of the core. The first three are
 * those of a successful response. An iterator over all fields takes longer.
 */
const FIELDS = "content-type content-encoding x-request-id date location retry-after".split(" ");
const SUCCESS = FIELDS.slice(0, 3);

/**
 * Sends a request. Returns an object that aborts it. Its property `received` is the time at which the head of a small response has
 * arrived.
 *
 * Calls `report` with the id, an event, the time, and the values of the event, which are a text, bytes and another value:
 *
 * - `PIECE` for a piece of the response, only with `XMLHttpRequest`
 * - `SENT` with the number of sent bytes of the body
 * - `RESPONSE` with the head of the response, and its whole body if it is small, else its reader, if it has a body
 * - `CUT_OFF`, `FAILED` or `INVALID` with the error. An invalid request was certainly not sent.
 *
 * Does not call `report` after the request was aborted.
 *
 * @param {(id: number, event: number, now: number, text: string, bytes: Uint8Array, value: unknown) => void} report
 * @param {number} id
 * @param {string} url
 * @param {string} head the method, and the names and values of the header fields, one on each line; empty if it is that of the last
 *   request
 * @param {Uint8Array | undefined} bytes the body, in the memory of the module
 * @param {unknown} stream another body
 * @param {boolean} follows whether `fetch` follows redirects
 * @param {boolean} inNode
 * @param {number} limit the largest size of a response that is read completely, in bytes; 0 if only its head is read
 * @param {boolean} reportsSent whether `report` also receives the number of sent bytes. The request is then sent with `XMLHttpRequest`,
 *   because `fetch` does not report it.
 * @returns {{ abort(): void, received?: number }}
 */
export function send(report, id, url, head, bytes, stream, follows, inNode, limit, reportsSent) {
  const controller = new AbortController();
  const { signal } = controller;
  // Not the controller itself: adding a property to an object of the DOM takes longer.
  const exchange = {
    abort() {
      controller.abort();
      // After a garbage collection, the signal has no effect in Node if the body is a stream.
      if (!IN_PAGE) exchange.reader?.cancel().catch(() => {});
    },
  };
  const { method, headers } = parsed(head);
  const init = { method, headers, body: stream, signal, redirect: follows ? "follow" : "manual" };
  // Only the response of a GET request may come from a cache. With this option, Chromium also ignores its cache of CORS preflights, so
  // each request would need two round trips. Older versions of workerd throw an exception if the option is set.
  if (method === "GET" && (IN_PAGE || "cache" in Request.prototype)) init.cache = "no-store";
  if (!IN_PAGE && inNode && stream && Symbol.asyncIterator in stream) {
    init.duplex = "half";
    // Node's `fetch` keeps a copy of a stream in memory, to send it again after a redirect, unless redirects are errors.
    init.redirect = "error";
  }
  run(exchange, url, init, bytes, inNode, limit, reportsSent, (event, value, text = "", bytes = NOTHING) => {
    if (!signal.aborted) report(id, event, performance.now(), text, bytes, value);
  });
  return exchange;
}

/** The method and the header fields of the last request. */
let last;

/** Returns the method and the header fields of a head. */
function parsed(head) {
  if (head !== "") {
    const [method, ...fields] = head.split("\n");
    const headers = [];
    for (let at = 0; at < fields.length; at += 2) headers.push([fields[at], fields[at + 1]]);
    last = { method, headers };
  }
  return last;
}

async function run(exchange, url, init, bytes, inNode, limit, reportsSent, report) {
  let response;
  let event = RESPONSE;
  let value;
  let head;
  let content;
  try {
    // Before the module continues. This fails if there is no memory left.
    if (bytes !== undefined) init.body = bytes.slice();
    // Lets the module return first. In Chromium 156, `fetch` takes about 15 µs longer if the module calls it.
    await undefined;
    if (reportsSent) response = await sendXhr(url, init, limit, report);
    else if (!IN_PAGE && inNode) {
      // Node keeps only a weak reference to a request, whose collection would break its signal.
      exchange.request = new Request(url, init);
      response = await fetch(exchange.request);
    } else response = await fetch(url, init);
    const { status, headers } = response;
    head = `${status}\n${response.redirected ? response.url : ""}`;
    const size = headers.get("content-length");
    let small = size > 0 && size <= SMALL && size <= limit;
    for (const name of status < 300 ? SUCCESS : FIELDS) {
      const value = headers.get(name);
      if (value === null) continue;
      head += `\n${name}\n${value}`;
      // The size of a compressed body is not its length.
      if (name === "content-encoding") small = false;
    }
    // A page cannot see whether another origin has compressed a response. A file may be at any origin, and is requested with GET.
    if (init.method === "GET" && response.type === "cors") small = false;
    if (!IN_PAGE && init.duplex) small = false;
    if (small) {
      exchange.received = performance.now();
      content = new Uint8Array(await response.arrayBuffer());
    } else {
      // The size of a complete body is known.
      if (size !== null) head += `\ncontent-length\n${size}`;
      value = response.body?.getReader();
      if (!IN_PAGE) exchange.reader = value;
    }
  } catch (error) {
    const isCopied = bytes === undefined || init.body !== undefined;
    event = response ? CUT_OFF : isCopied && isValid(url, init) ? FAILED : INVALID;
    value = error;
    // The module does not accept events before it has returned.
    await undefined;
  }
  report(event, value, head, content);
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
 * Sends a request like `fetch`, and reports its progress: calls `report` with the events
 * `SENT` and `PIECE`. No function is called after the request was aborted by its signal.
 *
 * A response that exceeds `limit` bytes is canceled. The result then has no body, and its `content-length` exceeds the limit.
 *
 * @returns {Promise<Response>}
 */
async function sendXhr(url, { method, headers, signal, body }, limit, report) {
  signal.throwIfAborted();
  const xhr = new XMLHttpRequest();
  xhr.open(method, url);
  for (const [name, value] of headers) xhr.setRequestHeader(name, value);
  xhr.responseType = "arraybuffer";
  /** Describes the response if it exceeds the limit. The abort of the request clears the status of `xhr`. */
  let tooLarge;
  xhr.upload.onprogress = ({ loaded }) => report(SENT, loaded);
  const check = (size) => {
    // Chromium may report the last piece when the response is complete. An abort would then fire no event, so the request
    // would never end.
    if (size > limit && xhr.readyState !== xhr.DONE) {
      tooLarge ??= toResponse(xhr.status, null, { "content-length": size });
      xhr.abort();
    }
  };
  xhr.onreadystatechange = () => {
    if (xhr.readyState < xhr.HEADERS_RECEIVED) return;
    report(PIECE);
    check(Number(xhr.getResponseHeader("content-length")));
  };
  // The total is the announced length, or 0.
  xhr.onprogress = ({ loaded, total }) => check(Math.max(loaded, total));
  signal.onabort = () => {
    xhr.upload.onprogress = xhr.onreadystatechange = xhr.onprogress = xhr.onloadend = null;
    xhr.abort();
  };
  await new Promise((resolve) => {
    xhr.onloadend = resolve;
    xhr.send(body);
  });
  if (tooLarge !== undefined) return tooLarge;
  if (xhr.status === 0 || !xhr.response) throw new TypeError("the request failed");
  const received = new Headers();
  for (const [, name, value] of xhr.getAllResponseHeaders().matchAll(/(.+?): *(.*)/g)) received.append(name, value);
  return toResponse(xhr.status, xhr.response, received);
}

/** Creates a response. The constructor accepts no status above 599, and with some others no body, even if it is empty. */
const toResponse = (status, body, headers) => Object.defineProperty(new Response(body, { headers }), "status", { value: status });
