// A TCP relay between a client and a server of this machine: a link that a test makes stand still or lose what it carries.
import { connect, createServer } from "node:net";

/**
 * @param {number} port where the server listens
 * @returns {Promise<Relay>}
 */
export async function startRelay(port) {
  const relay = new Relay(port);
  await relay.listen();
  return relay;
}

class Relay {
  /** Bytes that were passed on to the server. */
  passed = 0;
  /** Connections so far. */
  connections = 0;
  #server;
  #pairs = new Set();
  #still = false;

  constructor(target) {
    this.#server = createServer((client) => this.#join(client, connect(target, "127.0.0.1")));
  }

  get port() {
    return this.#server.address().port;
  }

  listen() {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** Passes nothing on, in both directions, and keeps it. */
  freeze() {
    this.#still = true;
    for (const pair of this.#pairs) for (const socket of pair.sockets) socket.pause();
  }

  /** Goes on after a freeze. */
  thaw() {
    this.#still = false;
    for (const pair of this.#pairs) for (const socket of pair.sockets) socket.resume();
  }

  /** Takes from now on what comes on the connections that there are, and passes none of it on. Later ones work. */
  swallow() {
    for (const pair of this.#pairs) pair.swallows = true;
  }

  close() {
    for (const pair of this.#pairs) for (const socket of pair.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client, server) {
    this.connections += 1;
    const pair = { sockets: [client, server], swallows: false };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      from.setNoDelay(true);
      from.on("error", end).on("close", end);
      from.on("data", (bytes) => {
        if (pair.swallows) return;
        if (to === server) this.passed += bytes.length;
        if (!to.write(bytes)) {
          from.pause();
          to.once("drain", () => this.#still || from.resume());
        }
      });
      if (this.#still) from.pause();
    }
  }
}
