// The servers of one wire pair: they respond in the order of the pair, and record the requests.
import { once } from "node:events";
import { createServer } from "node:http";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*, authorization",
  "access-control-allow-methods": "*",
  "access-control-expose-headers": "*",
};
/** A client's timer may fire early by the fraction of a millisecond that its clock truncates. */
const SLACK = 5;

const isRefusal = (step) => step?.failure?.reached === "never";

export class Exchange {
  /** The received requests: method, URL of the vector, header, body. */
  requests = [];
  /** Deviations from the vector. */
  problems = [];
  #steps;
  /** The local server and address of every origin in the vector. */
  #places = new Map();
  #responded = 0;

  /** @param {string} base the origin of the REST calls in the vector */
  static async start(base, steps) {
    const exchange = new Exchange();
    exchange.#steps = [...steps];
    const origins = steps.flatMap(({ request }) => (request ? [new URL(request.url).origin] : []));
    for (const origin of new Set([base, ...origins])) {
      const server = createServer((request, response) => exchange.#serve(origin, request, response));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address();
      exchange.#places.set(origin, { server, port, url: `http://127.0.0.1:${port}` });
    }
    exchange.#shut();
    return exchange;
  }

  /** Replaces the addresses of the vector by the local ones. */
  local(text) {
    return [...this.#places].reduce((text, [origin, { url }]) => text.replaceAll(origin, url), text);
  }

  /** Replaces the local addresses by those of the vector. */
  original(text) {
    return [...this.#places].reduce((text, [origin, { url }]) => text.replaceAll(url, origin), text);
  }

  /** Call it when the client announces a retry: then the connection that had to be refused was refused. */
  async retried() {
    if (!isRefusal(this.#steps[0])) return;
    this.#steps.shift();
    if (this.#refuses) return;
    const [{ server, port }] = this.#places.values();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  }

  /** The steps of the vector that did not happen. */
  get left() {
    return this.#steps.filter((step) => step.request && !isRefusal(step));
  }

  async close() {
    for (const { server } of this.#places.values()) {
      if (server.listening) server.close();
      server.closeAllConnections();
    }
  }

  /** Whether the next connection must be refused. */
  get #refuses() {
    return isRefusal(this.#steps.find((step) => !step.wait));
  }

  /** Stops listening if the next connection must be refused. */
  #shut() {
    const [{ server }] = this.#places.values();
    if (this.#refuses && server.listening) server.close();
  }

  /** The step of a request. Checks the waits before it. */
  #next() {
    let step = this.#steps.shift();
    for (; step?.wait; step = this.#steps.shift()) {
      const waited = performance.now() - this.#responded;
      if (waited < step.wait[0] - SLACK) this.problems.push(`a request after ${waited} ms, not ${step.wait[0]}`);
    }
    return step;
  }

  async #serve(origin, request, response) {
    if (request.method === "OPTIONS") {
      response.writeHead(204, { ...CORS, connection: "close" }).end();
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    this.requests.push({ method, url: origin + url, headers, body: Buffer.concat(chunks) });
    const step = this.#next();
    this.#shut();
    this.#responded = performance.now();
    if (step?.response) this.#respond(step.response, response);
    // Only the beginning of a response.
    else if (step?.stall) response.writeHead(200, CORS).write("{");
    else if (step?.timeout) return;
    else request.socket.destroy();
  }

  #respond({ status = 200, headers = {}, body, text, base64 }, response) {
    const content = body === undefined ? (text ?? "") : JSON.stringify(body);
    const bytes = base64 === undefined ? Buffer.from(this.local(content)) : Buffer.from(base64, "base64");
    const type = body !== undefined && { "content-type": "application/json" };
    // One connection for each request, because browsers retry a request without a response on a reused connection.
    response.writeHead(status, { ...CORS, connection: "close", ...type, ...headers });
    response.end(bytes);
  }
}
