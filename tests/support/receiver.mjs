// An RTMP receiver for one stream. It uses ffmpeg.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { until } from "./wait.mjs";

/** Returns an unused port. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a receiver, which reads one stream until the stream ends. */
export async function startReceiver() {
  const port = await freePort();
  const url = `rtmp://127.0.0.1:${port}/live/key`;
  const listening = ["-nostdin", "-loglevel", "quiet", "-listen", "1", "-i", url, "-c", "copy", "-f", "null", "-"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "ffmpeg", ...listening], { stdio: "ignore" });
  const closed = once(child, "close");
  // Reads from the kernel whether the receiver listens, because the receiver would treat a test connection as the stream.
  const line = `:${port.toString(16).toUpperCase().padStart(4, "0")} 00000000:0000 0A`;
  await until("the receiver to listen", () => readFileSync("/proc/net/tcp", "utf8").includes(line));
  return {
    url,
    async close() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
