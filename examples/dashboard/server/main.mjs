import { createServer } from "node:http";
import { Orgo } from "orgo-sdk";
import { Api } from "./api.mjs";
import { Calls } from "./calls.mjs";
import { readConfig } from "./config.mjs";
import { describeError } from "./errors.mjs";
import { FirstComputer } from "./first-computer.mjs";
import { admit, Refused, securityHeaders } from "./guard.mjs";
import { send, sendJson, sendLines } from "./http.mjs";
import { loadPages } from "./pages.mjs";

/** Serves the dashboard until SIGINT or SIGTERM. */
export async function main() {
  let port;
  try {
    const config = readConfig(process.env);
    const orgo = new Orgo({ logger: { warn: (message) => console.error(message) } });
    const first = new FirstComputer();
    const server = createServer();
    server.on(
      "request",
      listener(config, new Api(orgo, config, first), loadPages(), () => port),
    );
    port = await listen(server, config.ports);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end(server));
    if (config.local) void first.create(orgo);
    console.log(`Dashboard: http://127.0.0.1:${port}`);
  } catch (error) {
    console.error(`The dashboard cannot start: ${error.message}`);
    process.exitCode = 1;
  }
}

function listener(config, api, servePage, port) {
  const common = securityHeaders(config.sockets);
  return async (request, response) => {
    const calls = new Calls();
    const closed = new AbortController();
    response.once("close", () => closed.abort());
    for (const [name, value] of Object.entries(common)) response.setHeader(name, value);
    try {
      const [path] = request.url.split("?", 1);
      const isApi = path.startsWith("/api/");
      admit(request, port(), isApi);
      if (!isApi) {
        if (request.method !== "GET" && request.method !== "HEAD") throw new Refused(405, "A page can only be read");
        servePage(path, response);
        return;
      }
      response.setHeader("cache-control", "no-store");
      const answer = await api.answer(path.slice("/api".length), { request, calls, signal: closed.signal });
      if ("lines" in answer) await sendLines(response, answer.lines, calls);
      else if ("bytes" in answer) send(response, 200, answer.type, answer.bytes, calls.headers());
      else sendJson(response, answer.status ?? 200, answer.json, calls.headers());
    } catch (error) {
      if (closed.signal.aborted) return;
      const { status, body } = describeError(error);
      response.setHeader("cache-control", "no-store");
      // What is left of a body that was refused is not worth reading.
      if (!request.complete) response.setHeader("connection", "close");
      sendJson(response, status, body, calls.headers());
    }
  };
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
