// Serves a folder of built pages with a strict Content-Security-Policy.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Returns the policy that the package needs. It allows WebAssembly, a worker for audio, and connections to the desktop. */
const policy = ({ scripts = "'self' 'wasm-unsafe-eval'", workers = "'self'", styles = "'self'", connects = LOCAL, more = "" }) =>
  [
    "default-src 'none'",
    `script-src ${scripts}`,
    `worker-src ${workers}`,
    `style-src ${styles}`,
    "img-src 'self' data:",
    `connect-src 'self' ${connects}`,
    more,
  ].join("; ");

const LOCAL = "http://127.0.0.1:* ws://127.0.0.1:*";

/** The headers that allow a page to share memory with its workers. */
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/**
 * @param {() => string} folder returns the folder of the pages; called for every request, so that the server can start
 *   before the pages are built
 * @param {object} [options]
 * @param {string} [options.host]
 * @param {string} [options.scripts] the allowed sources of scripts; default: the page's origin, and WebAssembly
 * @param {string} [options.workers] the allowed sources of workers; default: the page's origin
 * @param {string} [options.styles] the allowed sources of styles; default: the page's origin
 * @param {string} [options.connects] the allowed destinations of connections; default: this machine
 * @param {string} [options.more] more directives of the policy
 * @param {boolean} [options.isolated] whether the pages can share memory with their workers
 * @param {boolean} [options.shared] whether pages of other origins can load the files
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function startPages(folder, options = {}) {
  const { host = "127.0.0.1", isolated = false, shared = false, ...sources } = options;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://pages");
    const path = normalize(join(folder(), pathname === "/" ? "index.html" : decodeURIComponent(pathname)));
    if (!path.startsWith(folder()) || !existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-security-policy": policy(sources),
      ...(isolated && ISOLATION),
      ...(shared && { "access-control-allow-origin": "*" }),
    });
    createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, host, resolve));
  return {
    origin: `http://${host}:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
