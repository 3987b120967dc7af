import { createServer } from "node:http";
import { Orgo } from "orgo-sdk";
import { Access } from "./access.mjs";
import { Api } from "./api.mjs";
import { Calls } from "./calls.mjs";
import { readConfig } from "./config.mjs";
import { ENTRY_PAGE, KEY_REQUIRED_PAGE } from "./entry-pages.mjs";
import { describeError } from "./errors.mjs";
import { escapeControls } from "./escape.mjs";
import { FirstComputer } from "./first-computer.mjs";
import { checkRequest, HttpError, KeyRequired, securityHeaders } from "./guard.mjs";
import { send, sendJson, sendProgress, sendWithEtag } from "./http.mjs";
import { loadPages } from "./pages.mjs";

const HTML = "text/html; charset=utf-8";

/** Serves the dashboard until the process receives SIGINT or SIGTERM or, with `ORGO_DASHBOARD_END_WITH_STDIN`, stdin closes. */
export async function main() {
  let port;
  try {
    const config = readConfig(process.env);
    const orgo = new Orgo({ logger: { warn: (message) => console.error(escapeControls(message)) } });
    const access = new Access();
    const first = new FirstComputer();
    const server = createServer();
    server.on(
      "request",
      listener({ config, access, api: new Api(orgo, config, first), servePage: loadPages(), port: () => port }),
    );
    port = await listen(server, config.ports);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => exit(server));
    if (config.exitOnStdinEnd) process.stdin.once("end", () => exit(server)).resume();
    if (config.local) void first.create(orgo);
    // The only output that contains the access key.
    console.log(`Dashboard: ${access.address(port)}`);
  } catch (error) {
    console.error(`The dashboard cannot start: ${escapeControls(error.message)}`);
    process.exitCode = 1;
  }
}

function listener({ config, access, api, servePage, port }) {
  const common = securityHeaders(config.sockets);
  return async (request, response) => {
    const calls = new Calls();
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    for (const [name, value] of Object.entries(common)) response.setHeader(name, value);
    const [path] = request.url.split("?", 1);
    const isApi = path.startsWith("/api/");
    const isRead = request.method === "GET" || request.method === "HEAD";
    try {
      checkRequest(request, port(), isApi);
      const query = new URLSearchParams(request.url.slice(path.length));
      const keys = query.getAll("key");
      if (path === "/" && isRead && keys.length > 0) {
        if (!access.isOpenedBy(keys)) throw new KeyRequired();
        enter(request, response, access.cookie(port()));
        return;
      }
      if (!access.hasCookie(request.headers.cookie, port())) throw new KeyRequired();
      if (!isApi) {
        if (!isRead) throw new HttpError(405, "The method must be GET or HEAD");
        servePage(path, response);
        return;
      }
      response.setHeader("cache-control", "no-store");
      const result = await api.handle(path.slice("/api".length), { request, query, calls, signal: closed.signal });
      if ("longCall" in result) await sendProgress(response, result.longCall, calls);
      else if ("bytes" in result) sendWithEtag(response, result.type, result.bytes, result.etag, calls.headers());
      else sendJson(response, result.status ?? 200, result.json, calls.headers());
    } catch (error) {
      if (closed.signal.aborted) return;
      const { status, body } = describeError(error);
      if (response.headersSent) {
        // The headers are already sent. Closing the connection reports the failure.
        response.destroy();
        return;
      }
      response.setHeader("cache-control", "no-store");
      // Close the connection instead of reading the remaining body of a rejected request.
      if (!request.complete) response.setHeader("connection", "close");
      const isPage = !isApi && /\btext\/html\b/.test(request.headers.accept ?? "");
      if (error instanceof KeyRequired && isPage) send(response, status, HTML, KEY_REQUIRED_PAGE);
      else sendJson(response, status, body, calls.headers());
    }
  };
}

/** Sends a response that sets the cookie and redirects to a URL without the key. */
function enter(request, response, cookie) {
  const headers = { "set-cookie": cookie, "cache-control": "no-store" };
  if (request.headers["sec-fetch-site"] === "cross-site") send(response, 200, HTML, ENTRY_PAGE, headers);
  else send(response, 303, HTML, Buffer.alloc(0), { ...headers, location: "/" });
}

/** Listens on the first free port of the list. Resolves with the port number. */
async function listen(server, ports) {
  for (const [index, port] of ports.entries()) {
    try {
      await new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
          server.off("error", reject);
          resolve();
        });
      });
      return server.address().port;
    } catch (error) {
      if (error.code !== "EADDRINUSE" || index === ports.length - 1) throw error;
    }
  }
}

/** Exits without waiting for open connections. The computers keep running. */
function exit(server) {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
