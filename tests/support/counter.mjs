// A server that counts requests. Tests use the count to prove that no request was sent.
import { createServer } from "node:http";

/**
 * Starts a server that counts every request below `/api` and every socket. It responds to requests below `/api` with an
 * empty list of workspaces, and to `/seen` with the count.
 *
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function startCounter() {
  let seen = 0;
  const server = createServer((request, response) => {
    const counted = request.url.startsWith("/api");
    if (counted) seen += 1;
    response.writeHead(200, {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "authorization, content-type",
      "access-control-allow-methods": "GET, POST, DELETE",
      "content-type": "application/json",
    });
    response.end(counted ? '{"workspaces":[]}' : String(seen));
  });
  server.on("upgrade", (_, socket) => {
    seen += 1;
    socket.destroy();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
