// A TCP relay to a server of this machine, which can freeze or discard the data of its connections.
import { connect, createServer } from "node:net";

/**
 * @param {number} port the port of the server
 * @returns {Promise<Relay>}
 */
export async function startRelay(port) {
  const relay = new Relay(port);
  await relay.listen();
  return relay;
}

class Relay {
  /** The number of bytes that the relay has passed to the server. */
  passed = 0;
  /** The number of connections so far. */
  connections = 0;
  #server;
  #pairs = new Set();
  #frozen = false;

  constructor(target) {
    this.#server = createServer((client) => this.#join(client, connect(target, "127.0.0.1")));
  }

  get port() {
    return this.#server.address().port;
  }

  listen() {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** Stops passing data in both directions. The data is delivered after `thaw`. */
  freeze() {
    this.#frozen = true;
    for (const pair of this.#pairs) for (const socket of pair.sockets) socket.pause();
  }

  /** Continues to pass data after a freeze. */
  thaw() {
    this.#frozen = false;
    for (const pair of this.#pairs) for (const socket of pair.sockets) socket.resume();
  }

  /** Discards all further data of the current connections. Later connections work. */
  discard() {
    for (const pair of this.#pairs) pair.discards = true;
  }

  close() {
    for (const pair of this.#pairs) for (const socket of pair.sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client, server) {
    this.connections += 1;
    const pair = { sockets: [client, server], discards: false };
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
        if (pair.discards) return;
        if (to === server) this.passed += bytes.length;
        if (!to.write(bytes)) {
          from.pause();
          to.once("drain", () => this.#frozen || from.resume());
        }
      });
      if (this.#frozen) from.pause();
    }
  }
}
