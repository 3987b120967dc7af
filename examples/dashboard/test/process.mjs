// Runs the dashboard's server as a process and sends requests to it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { fileURLToPath } from "node:url";

const SERVER = fileURLToPath(new URL("../server.mjs", import.meta.url));

export function start(environment) {
  const { ORGO_API_KEY, ORGO_BASE_URL, ORGO_REALTIME_URL, PORT, ORGO_DASHBOARD_FIRST_COMPUTER, ...rest } = process.env;
  return spawn(process.execPath, [SERVER], { env: { ...rest, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
}

/** Waits for output that matches the pattern. Fails with the whole output if the server exits without it. */
export async function waitForOutput(child, stream, pattern) {
  let text = "";
  for await (const chunk of child[stream].setEncoding("utf8")) {
    text += chunk;
    const match = pattern.exec(text);
    if (match) return match;
  }
  assert.fail(`${pattern} does not match the output ${JSON.stringify(text)}`);
}

/** Sends a request with the given headers. `fetch` does not allow setting Host, Origin and Cookie. */
export function send(port, path, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers }, async (response) => {
      let text = "";
      for await (const chunk of response.setEncoding("utf8")) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/**
 * Starts the server and gets its cookie, as a browser does.
 *
 * @param {Record<string, string>} environment
 */
export async function startOpened(environment) {
  const child = start(environment);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (output[name] += text));
  const ended = once(child, "exit");
  const found = () => /^Dashboard: (http:\/\/127\.0\.0\.1:(\d+)\/\?key=([\w-]{43}))$/m.exec(output.stdout);
  while (!found()) {
    const [code] = await Promise.race([ended, once(child.stdout, "data")]);
    if (typeof code === "number") assert.fail(`the server exited with code ${code}: ${output.stderr}`);
  }
  const [line, address, port, key] = found();
  const { headers } = await send(port, `/?key=${key}`);
  const [cookie] = headers["set-cookie"][0].split(";");
  return {
    child,
    output,
    line,
    address,
    port: Number(port),
    key,
    /** The cookie as `name=value`. */
    cookie,
    async stop() {
      child.kill("SIGTERM");
      assert.deepEqual(await ended, [0, null]);
    },
  };
}
