// Tests the packed package in pages and web frameworks: opens each project in Chromium, and connects to the local desktop.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { startPages } from "../support/pages.mjs";
import { freePort } from "../support/receiver.mjs";
import { within } from "../support/wait.mjs";
import { startEnvironment } from "./environment.mjs";
import { Matrix } from "./matrix.mjs";
import { PROJECTS } from "./pages.mjs";
import { execute, openProject, start, write } from "./project.mjs";

const shared = (name) => readFileSync(new URL(`page/${name}`, import.meta.url), "utf8");

const matrix = new Matrix("pages");
let environment;
before(async () => {
  environment = await startEnvironment({ browser: true });
});
after(async () => {
  await environment?.close();
  matrix.finish();
});

for (const [name, { code = ".", modes }] of Object.entries(PROJECTS)) {
  const included = modes.filter(({ mode, quick }) => matrix.includes({ project: name, mode, quick }));
  if (included.length === 0) continue;
  describe(name, () => {
    let project;
    before(() => {
      project = openProject(name);
      const files = code === "." ? ["check.js", "main.js", "index.html"] : ["check.js", "server.js"];
      write(project, Object.fromEntries(files.map((file) => [join(code, file), shared(file)])));
    });
    after(() => project?.remove());
    for (const mode of included) {
      const row = { project: name, mode: mode.mode, versions: () => project?.versions ?? {} };
      matrix.row(row, () => tryMode(project, mode));
    }
  });
}

/**
 * Runs one mode of a project. Returns the description for the table.
 *
 * @param {import("./pages.mjs").Mode} mode
 */
async function tryMode(project, mode) {
  const closers = [];
  let program;
  try {
    for (const command of mode.build ?? []) await execute(project.folder, command, mode.env);
    let { folder } = project;
    if (mode.output) {
      folder = mkdtempSync(join(tmpdir(), "orgo-output-"));
      closers.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
      for (const [from, to] of Object.entries(mode.output))
        cpSync(join(project.folder, from), join(folder, to), { recursive: true });
      // The output must not need the project and its dependencies.
      const moved = `${project.folder}-moved`;
      renameSync(project.folder, moved);
      closers.push(() => renameSync(moved, project.folder));
    }
    program = mode.start && (await startServer(folder, mode));
    const { origin, close } = program ?? (await startPages(() => folder, mode.serve));
    closers.push(close);
    const found = [];
    if (mode.page !== undefined) found.push(await openPage(origin + mode.page, mode));
    for (const path of mode.server ?? []) found.push(await requestServer(origin, path, mode));
    return found.join("; ");
  } catch (error) {
    if (program) error.message += `\n\nThe server printed:\n${program.log().slice(-4000)}`;
    throw error;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Starts the server of a project on a free port. */
async function startServer(folder, mode) {
  const port = String(await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const env = { ...environment.env, ...mode.env, HOST: "127.0.0.1", HOSTNAME: "127.0.0.1", PORT: port };
  const program = start(folder, mode.start(port), env);
  try {
    await program.respond(origin + (mode.page ?? mode.server[0]));
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { origin, close: () => program.stop(), log: () => program.log };
}

/** Opens a page, and runs its checks. */
async function openPage(url, { action, expected: { transport = "port", violations = [], server } = {} }) {
  const context = await environment.browser.newContext();
  try {
    const page = await context.newPage();
    const failures = [];
    const fetched = [];
    page.on("pageerror", ({ message }) => failures.push(message));
    page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
    page.on("request", (request) => fetched.push(request.url()));
    await page.addInitScript(() => {
      globalThis.violations = [];
      document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
        globalThis.violations.push(`${effectiveDirective} ${blockedURI}`);
      });
    });
    await page.goto(url, { timeout: 60_000 });
    const ready = page.waitForFunction(() => typeof globalThis.check === "function", undefined, { timeout: 30_000 });
    await ready.catch((error) => {
      throw new Error(failures.join("\n") || error.message);
    });
    const early = fetched.filter((url) => /\.wasm/.test(url));
    assert.deepEqual(early, [], "files that the page loads before they are necessary");
    assert.deepEqual(await page.evaluate(() => globalThis.useKey()), { name: "InvalidParameterError", field: "apiKey" });
    const checked = page.evaluate((connection) => globalThis.check(connection), environment.connection);
    const result = await within("the checks in the page", checked, 90_000);
    assert.deepEqual({ ...result, version: undefined }, { kind: "wasm", transport, version: undefined });
    assert.deepEqual(await page.evaluate(() => globalThis.violations), violations);
    const found = [`page: ${result.kind}, audio by \`${result.transport}\``];
    if (action) found.push(`action: ${describeCalls(await page.evaluate(() => globalThis.act()), server)}`);
    return found.join("; ");
  } finally {
    await context.close();
  }
}

/** Requests the result of code on the server of a project. */
async function requestServer(origin, path, { expected: { server } = {} }) {
  const response = await fetch(origin + path, { signal: AbortSignal.timeout(90_000) });
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${response.status} ${text.slice(0, 500)}`);
  return `${path}: ${describeCalls(JSON.parse(text), server)}`;
}

/** Checks and describes the result of `callComputer`. */
function describeCalls({ error, kind, cause, ...rest }, expected) {
  if (error) throw new Error(error);
  assert.deepEqual(rest, { output: "42\n", size: [1280, 720], bytes: true });
  if (expected) assert.equal(kind, expected, cause);
  return cause ? `${kind} (${cause})` : kind;
}
