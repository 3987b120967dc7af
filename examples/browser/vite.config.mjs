import { Orgo } from "orgo-sdk";
import { defineConfig } from "vite";

/**
 * Serves a connection to a computer at `/connection`. The API key stays on the server. A production server must authenticate
 * the user first. This server listens only on loopback and accepts only requests from its own pages.
 */
function connection() {
  const orgo = new Orgo();

  /** Returns a running computer, or creates one in the workspace "examples" if none is running. */
  async function findComputer() {
    const workspaces = await orgo.workspaces.list();
    for (const { id } of workspaces) {
      const { desktops = [] } = await orgo.workspaces.get(id);
      const running = desktops.find(({ status }) => status === "running");
      if (running) return orgo.computers.get(running.id);
    }
    const own = workspaces.find(({ name }) => name === "examples") ?? (await orgo.workspaces.create({ name: "examples" }));
    const computer = await orgo.computers.create({ workspace_id: own.id, name: `page-${Date.now()}` });
    await computer.waitUntilRunning();
    return computer;
  }

  let computer;

  return {
    name: "orgo-connection",
    configureServer(server) {
      server.middlewares.use("/connection", (request, response) => {
        if (request.headers["sec-fetch-site"] !== "same-origin") {
          response.writeHead(403).end();
          return;
        }
        computer ??= findComputer();
        computer
          .then((found) => found.connection())
          .then(
            (found) => response.setHeader("content-type", "application/json").end(JSON.stringify(found)),
            (error) => {
              computer = undefined;
              response.writeHead(502, { "content-type": "text/plain" }).end(error.message);
            },
          );
      });
    },
  };
}

export default defineConfig({
  plugins: [connection()],
  server: { host: "127.0.0.1" },
});
