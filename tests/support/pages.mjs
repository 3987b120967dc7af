// Serves a folder of built pages under a strict Content-Security-Policy, as a careful site would.
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

/** What the package asks of a page's policy: WebAssembly, a worker for sound, and the desktop. */
const policy = (workers, connects) =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `worker-src ${workers}`,
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${connects}`,
  ].join("; ");

const LOCAL = "http://127.0.0.1:* ws://127.0.0.1:*";

/** What lets a page share memory with its workers. */
const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/**
 * @param {() => string} folder where the pages are; asked for at every request, so that the server can start first
 * @param {{ host?: string, workers?: string, connects?: string, isolated?: boolean }} [options] where workers may come from,
 *   by default from the page's origin; where connections may go, by default to this machine; and whether the pages may share
 *   memory with their workers
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function startPages(folder, options = {}) {
  const { host = "127.0.0.1", workers = "'self'", connects = LOCAL, isolated = false } = options;
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://pages");
    const path = normalize(join(folder(), pathname === "/" ? "index.html" : decodeURIComponent(pathname)));
    if (!path.startsWith(folder()) || !existsSync(path) || !statSync(path).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-security-policy": policy(workers, connects),
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
