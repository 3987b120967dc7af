// A TCP proxy for a server. Closing the proxy simulates that the server is unreachable; it can be opened again.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/**
 * @param {string} origin the origin of the server
 * @returns {Promise<{ port: number, passed(): number, through(url: string): string, close(): Promise<void>, open(): Promise<void> }>}
 */
export async function startGate(origin) {
  const { hostname, port: target } = new URL(origin);
  const sockets = new Set();
  let passed = 0;
  const server = createServer((client) => {
    client.on("data", ({ length }) => (passed += length));
    const upstream = connect(Number(target), hostname);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(one);
      one
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  });
  const listen = async (port) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  };
  await listen(0);
  const { port } = server.address();
  return {
    port,
    /** Returns the number of bytes from clients. */
    passed: () => passed,
    /** Returns a URL of the server with the address of the gate. Placeholders such as `{id}` are preserved. */
    through: (url) => url.replace(`${hostname}:${target}`, `127.0.0.1:${port}`),
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    open: () => listen(port),
  };
}
