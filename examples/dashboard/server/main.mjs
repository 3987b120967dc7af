import { createServer } from "node:http";
import { Orgo } from "orgo-sdk";
import { Access } from "./access.mjs";
import { Api } from "./api.mjs";
import { Calls } from "./calls.mjs";
import { readConfig } from "./config.mjs";
import { ENTRY_PAGE, KEY_REQUIRED_PAGE } from "./entry-pages.mjs";
import { describeError } from "./errors.mjs";
import { FirstComputer } from "./first-computer.mjs";
import { admit, KeyRequired, Refused, securityHeaders } from "./guard.mjs";
import { send, sendJson, sendLines, sendTagged } from "./http.mjs";
import { loadPages } from "./pages.mjs";
import { printable } from "./terminal.mjs";

const HTML = "text/html; charset=utf-8";

/** Serves the dashboard until SIGINT or SIGTERM, or until its input ends if it was told so. */
export async function main() {
  let port;
  try {
    const config = readConfig(process.env);
    const orgo = new Orgo({ logger: { warn: (message) => console.error(printable(message)) } });
    const access = new Access();
    const first = new FirstComputer();
    const server = createServer();
    server.on(
      "request",
      listener({ config, access, api: new Api(orgo, config, first), servePage: loadPages(), port: () => port }),
    );
    port = await listen(server, config.ports);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end(server));
    if (config.endsWithInput) process.stdin.once("end", () => end(server)).resume();
    if (config.local) void first.create(orgo);
    // The only place where the key is shown.
    console.log(`Dashboard: ${access.address(port)}`);
  } catch (error) {
    console.error(`The dashboard cannot start: ${printable(error.message)}`);
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
      admit(request, port(), isApi);
      const query = new URLSearchParams(request.url.slice(path.length));
      const keys = query.getAll("key");
      if (path === "/" && isRead && keys.length > 0) {
        if (!access.isOpenedBy(keys)) throw new KeyRequired();
        enter(request, response, access.cookie(port()));
        return;
      }
      if (!access.hasCookie(request.headers.cookie, port())) throw new KeyRequired();
      if (!isApi) {
        if (!isRead) throw new Refused(405, "A page can only be read");
        servePage(path, response);
        return;
      }
      response.setHeader("cache-control", "no-store");
      const answer = await api.answer(path.slice("/api".length), { request, query, calls, signal: closed.signal });
      if ("lines" in answer) await sendLines(response, answer.lines, calls);
      else if ("bytes" in answer) sendTagged(response, answer.type, answer.bytes, answer.tag, calls.headers());
      else sendJson(response, answer.status ?? 200, answer.json, calls.headers());
    } catch (error) {
      if (closed.signal.aborted) return;
      const { status, body } = describeError(error);
      if (response.headersSent) {
        // The response has begun, so only its end can report the failure.
        response.destroy();
        return;
      }
      response.setHeader("cache-control", "no-store");
      // What is left of a body that was refused is not worth reading.
      if (!request.complete) response.setHeader("connection", "close");
      const isPage = !isApi && /\btext\/html\b/.test(request.headers.accept ?? "");
      if (error instanceof KeyRequired && isPage) send(response, status, HTML, KEY_REQUIRED_PAGE);
      else sendJson(response, status, body, calls.headers());
    }
  };
}

/** Sets the cookie and redirects to an address without the key. */
function enter(request, response, cookie) {
  const headers = { "set-cookie": cookie, "cache-control": "no-store" };
  if (request.headers["sec-fetch-site"] === "cross-site") send(response, 200, HTML, ENTRY_PAGE, headers);
  else send(response, 303, HTML, Buffer.alloc(0), { ...headers, location: "/" });
}

/** Listens on the first of the ports that is free; resolves with its number. */
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

/** Ends at once: the computers go on, and the page says that its server is gone. */
function end(server) {
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
