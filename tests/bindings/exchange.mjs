// The servers of one wire pair. They respond in the order of the pair, and record the requests.
import { once } from "node:events";
import { createServer } from "node:http";

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "*, authorization",
  "access-control-allow-methods": "*",
  "access-control-expose-headers": "*",
};
/** The tolerance for timers that fire early, in milliseconds. The clocks of clients truncate to milliseconds. */
const SLACK = 5;

const isRefusal = (step) => step?.failure?.reached === "never";

export class Exchange {
  /** The received requests: the method, the URL as in the vector, the headers and the body. */
  requests = [];
  /** Descriptions of the deviations from the vector. */
  problems = [];
  #steps;
  /** The local server and its address for every origin in the vector. */
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

  /** Replaces the origins of the vector with the local addresses. */
  local(text) {
    return [...this.#places].reduce((text, [origin, { url }]) => text.replaceAll(origin, url), text);
  }

  /** Replaces the local addresses with the origins of the vector. */
  original(text) {
    return [...this.#places].reduce((text, [origin, { url }]) => text.replaceAll(url, origin), text);
  }

  /** Completes the step of a refused connection. The test calls this method when the client announces a retry. */
  async retried() {
    if (!isRefusal(this.#steps[0])) return;
    this.#steps.shift();
    if (this.#refuses) return;
    const [{ server, port }] = this.#places.values();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  }

  /** The requests of the vector that were not received. */
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

  /** Returns the step for a request. Checks that the client waited before the request as the vector demands. */
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
    // Sends only the start of a response.
    else if (step?.stall) response.writeHead(200, CORS).write("{");
    else if (step?.timeout) return;
    else request.socket.destroy();
  }

  #respond({ status = 200, headers = {}, body, text, base64 }, response) {
    const content = body === undefined ? (text ?? "") : JSON.stringify(body);
    const bytes = base64 === undefined ? Buffer.from(this.local(content)) : Buffer.from(base64, "base64");
    const type = body !== undefined && { "content-type": "application/json" };
    // Uses one connection for each request, because browsers retry a request that gets no response on a reused connection.
    response.writeHead(status, { ...CORS, connection: "close", ...type, ...JSON.parse(this.local(JSON.stringify(headers))) });
    response.end(bytes);
  }
}
