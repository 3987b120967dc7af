// The local desktop under test: the real server with a data folder of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until, within } from "./wait.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** How much of the server's log is kept for an error. */
const LOG_KEPT = 20_000;

/** Where the server's program is. */
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
 * @param {string[]} [options.allowOrigins] the origins whose pages may call it
 * @param {Record<string, string>} [options.connections] the URLs that its computers can stream to, by name
 * @returns {Promise<Desktop>}
 */
export async function startDesktop({ allowOrigins = [], connections = {} } = {}) {
  const program = desktopProgram();
  const folder = mkdtempSync(join(tmpdir(), "orgo-test-"));
  const named = Object.entries(connections).map(([name, url]) => `[${name}]\nurl = ${JSON.stringify(url)}\n`);
  writeFileSync(join(folder, "stream-connections.toml"), named.join(""));
  const origins = allowOrigins.flatMap((origin) => ["--allow-origin", origin]);
  const serve = ["serve", "--listen", "127.0.0.1:0", "--json", "--data-dir", folder, ...origins];
  // A test that is killed has no time to clean up, so the kernel ends the server with it.
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
  /** The settings of a client of it. */
  options;
  /** The end of what it wrote to its log. */
  log = "";
  #child;
  #folder;

  constructor(child, folder) {
    this.#child = child;
    this.#folder = folder;
    child.stderr.setEncoding("utf8").on("data", (text) => (this.log = (this.log + text).slice(-LOG_KEPT)));
  }

  /** Ends it as a user would, and fails if it does not end, or leaves a process. */
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

  /** The ids of its processes: the server, and everything in the boxes of its computers. */
  processes() {
    const name = basename(this.#folder);
    // What is in a box is told by what is mounted there: its home is below the data folder.
    const isOwn = (id) => ["cmdline", "mountinfo"].some((file) => readFileSync(`/proc/${id}/${file}`, "utf8").includes(name));
    return readdirSync("/proc").filter((id) => {
      try {
        return /^\d+$/.test(id) && isOwn(id);
      } catch {
        return false; // It ended meanwhile.
      }
    });
  }
}
