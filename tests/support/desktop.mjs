// Starts the local desktop server with a temporary data folder.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until, within } from "./wait.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The maximum length of the stored log, in characters. */
const MAX_LOG_LENGTH = 20_000;

/** Returns the path of the server's program. */
export function desktopProgram() {
  const built = ["release", "debug"].map((profile) => join(root, "target", profile, "orgo-desktop"));
  const found = process.env.ORGO_DESKTOP_BIN ?? built.find(existsSync);
  if (found === undefined) throw new Error("orgo-desktop is not built: run `npm run build`");
  return found;
}

/**
 * Starts a desktop server on a free port.
 *
 * @param {object} [options]
 * @param {string[]} [options.allowOrigins] the origins whose pages may call the server
 * @param {Record<string, string>} [options.connections] the RTMP URLs that computers can stream to, by name
 * @param {{ folder: string, port: string }} [options.previous] the data folder and the port of a server that was killed
 * @returns {Promise<Desktop>}
 */
export async function startDesktop({ allowOrigins = [], connections = {}, previous } = {}) {
  const program = desktopProgram();
  const folder = previous?.folder ?? mkdtempSync(join(tmpdir(), "orgo-test-"));
  const sections = Object.entries(connections).map(([name, url]) => `[${name}]\nurl = ${JSON.stringify(url)}\n`);
  writeFileSync(join(folder, "stream-connections.toml"), sections.join(""));
  const origins = allowOrigins.flatMap((origin) => ["--allow-origin", origin]);
  const serve = ["serve", "--listen", `127.0.0.1:${previous?.port ?? 0}`, "--json", "--data-dir", folder, ...origins];
  // The kernel ends the server when the test process ends, because a killed test process cannot clean up.
  const child = spawn("setpriv", ["--pdeathsig", "TERM", program, ...serve], { stdio: ["ignore", "pipe", "pipe"] });
  const desktop = new Desktop(child, folder);
  try {
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, "close").then(([code]) => {
      throw new Error(`orgo-desktop ended with ${code} before it was ready`);
    });
    const [line] = await within("orgo-desktop to be ready", Promise.race([once(lines, "line"), ended]), 30_000);
    ended.catch(() => {});
    const { base_url, realtime_url, api_key } = JSON.parse(line);
    desktop.options = { baseUrl: base_url, realtimeUrl: realtime_url, apiKey: api_key };
    return desktop;
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${error.message}\n${desktop.log}`, { cause: error });
  }
}

class Desktop {
  /** The SDK settings for a client of the server. */
  options;
  /** The end of the server's log. */
  log = "";
  #child;
  #folder;

  constructor(child, folder) {
    this.#child = child;
    this.#folder = folder;
    child.stderr.setEncoding("utf8").on("data", (text) => (this.log = (this.log + text).slice(-MAX_LOG_LENGTH)));
  }

  /** The id of the server's process. */
  get pid() {
    return this.#child.pid;
  }

  /** Kills the server. Returns what `startDesktop` needs to start the next server with the same data and at the same port. */
  async kill() {
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
    await until(`processes of ${this.#folder} to end`, () => this.processes().length === 0);
    return { folder: this.#folder, port: new URL(this.options.baseUrl).port };
  }

  /** Stops the server with SIGTERM. Fails if the server does not end, or if another of its processes keeps running. */
  async stop() {
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill("SIGTERM");
      await within("orgo-desktop to end", closed, 30_000).catch((error) => {
        child.kill("SIGKILL");
        throw error;
      });
    }
    await until(`processes of ${this.#folder} to end`, () => this.processes().length === 0);
    rmSync(this.#folder, { recursive: true });
    if (child.exitCode !== 0) throw new Error(`orgo-desktop ended with ${child.signalCode ?? child.exitCode}\n${this.log}`);
  }

  /** Returns the ids of the server's process and of the processes in the sandboxes of its computers. */
  processes() {
    const name = basename(this.#folder);
    // The mounts identify the processes in a sandbox, because the home directory of a sandbox is below the data folder.
    const isOwn = (id) => ["cmdline", "mountinfo"].some((file) => readFileSync(`/proc/${id}/${file}`, "utf8").includes(name));
    return readdirSync("/proc").filter((id) => {
      try {
        return /^\d+$/.test(id) && isOwn(id);
      } catch {
        return false; // The process has ended.
      }
    });
  }
}
