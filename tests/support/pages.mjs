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
const policy = (scripts, workers, connects) =>
  [
    "default-src 'none'",
    `script-src ${scripts} 'wasm-unsafe-eval'`,
    `worker-src ${workers}`,
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${connects}`,
  ].join("; ");

const LOCAL = "http://127.0.0.1:* ws://127.0.0.1:*";

/** The headers that allow a page to share memory with its workers. */
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/**
 * @param {() => string} folder returns the folder of the pages; called for every request, so that the server can start
 *   before the pages are built
 * @param {{ host?: string, scripts?: string, workers?: string, connects?: string, isolated?: boolean }} [options] `scripts` and
 *   `workers`: the allowed sources of scripts and workers, by default the page's origin; `connects`: the allowed destinations of connections, by default
 *   this machine; `isolated`: whether the pages can share memory with their workers
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function startPages(folder, options = {}) {
  const { host = "127.0.0.1", scripts = "'self'", workers = "'self'", connects = LOCAL, isolated = false } = options;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://pages");
    const path = normalize(join(folder(), pathname === "/" ? "index.html" : decodeURIComponent(pathname)));
    if (!path.startsWith(folder()) || !existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-security-policy": policy(scripts, workers, connects),
      ...(isolated && ISOLATION),
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
