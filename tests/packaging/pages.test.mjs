// Tests the packed package in pages and web frameworks: opens each project in Chromium, and connects to the local desktop.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { startWithExtension } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { freePort } from "../support/receiver.mjs";
import { within } from "../support/wait.mjs";
import { startEnvironment } from "./environment.mjs";
import { Matrix } from "./matrix.mjs";
import { EXTENSION, PROJECTS } from "./pages.mjs";
import { execute, openProject, start, write } from "./project.mjs";

const shared = (name) => readFileSync(new URL(`page/${name}`, import.meta.url), "utf8");

const matrix = new Matrix("pages");
let environment;
before(async () => {
  environment = await startEnvironment({ browser: true, allowOrigins: [EXTENSION] });
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
      const missing = files.filter((file) => !existsSync(join(project.folder, code, file)));
      write(project, Object.fromEntries(missing.map((file) => [join(code, file), shared(file)])));
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
    for (const [from, to] of Object.entries(mode.files ?? {})) {
      cpSync(join(project.folder, from), join(project.folder, to), { recursive: true });
    }
    for (const command of mode.build ?? []) await execute(project.folder, command, mode.env);
    let { folder } = project;
    if (mode.output) {
      folder = copyFiles(project, mode.output, closers);
      if (mode.cdn) {
        const files = copyFiles(project, mode.cdn, closers);
        const cdn = await startPages(() => files, { shared: true });
        closers.push(cdn.close);
        const page = join(folder, "index.html");
        writeFileSync(page, readFileSync(page, "utf8").replace("https://cdn.example", cdn.origin));
      }
      // The output must not need the project and its dependencies.
      const moved = `${project.folder}-moved`;
      renameSync(project.folder, moved);
      closers.push(() => renameSync(moved, project.folder));
    }
    program = mode.start && (await startServer(folder, mode));
    if (mode.extension) return await openExtension(folder, mode);
    if (mode.output && !mode.start) checkFiles(folder, mode);
    const { origin, close } = program ?? (await startPages(() => folder, mode.serve));
    closers.push(close);
    const found = [];
    if (mode.page !== undefined) found.push(await openPage(origin + mode.page, mode));
    for (const path of mode.server ?? []) found.push(await requestServer(origin, path, mode));
    return found.join("; ");
  } catch (error) {
    if (!program) throw error;
    throw new Error(`${error.message}\n\nThe server printed:\n${program.log().slice(-4000)}`, { cause: error });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Copies files of a project into a new folder. */
function copyFiles(project, files, closers) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-output-"));
  closers.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const [from, to] of Object.entries(files))
    cpSync(join(project.folder, from), join(folder, to), { recursive: true, verbatimSymlinks: true });
  return folder;
}

/** Checks that the output contains each of the three WebAssembly modules of a page once, or none if the bundler loses them. */
function checkFiles(folder, { cdn, expected }) {
  // A page without a bundler has a copy of the whole package, with the complete module.
  const isModule = (file) => file.endsWith(".wasm") && !file.endsWith("dist/wasm/orgo_wasm_bg.wasm");
  const modules = readdirSync(folder, { recursive: true }).filter(isModule);
  assert.equal(modules.length, cdn || expected?.embedded ? 0 : 3, modules.join(" "));
}

/** Starts the server of a project on a free port. */
async function startServer(folder, mode) {
  const port = String(await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const env = { ...environment.env, ...mode.env, HOST: "127.0.0.1", HOSTNAME: "127.0.0.1", PORT: port };
  const program = start(folder, mode.start(port, env), env);
  try {
    await program.respond(origin + (mode.page ?? mode.server[0]));
  } catch (error) {
    await program.stop();
    throw error;
  }
  return { origin, close: () => program.stop(), log: () => program.log };
}

/** Opens a page of an extension of the browser, and runs its checks. */
async function openExtension(folder, mode) {
  const profile = mkdtempSync(join(tmpdir(), "orgo-profile-"));
  try {
    return await openPage(EXTENSION + mode.page, mode, await startWithExtension(profile, folder));
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Opens a page, runs its checks, and closes its browser context. */
async function openPage(url, { action, expected = {} }, ownContext) {
  const context = ownContext ?? (await environment.browser.newContext());
  try {
    const page = await context.newPage();
    const failures = [];
    const fetched = [];
    page.on("pageerror", ({ message }) => failures.push(message));
    page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
    page.on("request", (request) => fetched.push(request.url()));
    await page.addInitScript(observe);
    await page.goto(url, { timeout: 60_000 });
    const isReady = () => page.waitForFunction(() => typeof globalThis.check === "function", undefined, { timeout: 30_000 });
    await isReady().catch(async (error) => {
      // Vite makes some pages outdated when it finds a new dependency during their load.
      if (!failures.some((text) => text.includes("Outdated Optimize Dep"))) throw new Error(failures.join("\n") || error.message);
      await page.reload();
      await isReady();
    });
    const early = fetched.filter((url) => /\.wasm/.test(url));
    assert.deepEqual(early, [], "files that the page loads before they are necessary");
    assert.deepEqual(await page.evaluate(() => globalThis.useKey()), { name: "InvalidParameterError", field: "apiKey" });
    const checked = page.evaluate((connection) => globalThis.check(connection), environment.connection);
    if (expected.error) {
      await assert.rejects(within("the checks in the page", checked, 90_000), expected.error);
      return "page: a clear error";
    }
    const found = [describePage(await within("the checks in the page", checked, 90_000), expected)];
    const { violations, blobs } = await page.evaluate(() => globalThis.observed);
    assert.equal(violations.length, expected.violations?.length ?? 0, violations.join("\n"));
    for (const [at, pattern] of (expected.violations ?? []).entries()) assert.match(violations[at], pattern);
    // The page uses an embedded script only if the script is not available otherwise.
    const message = `the number of embedded scripts that the page uses is ${blobs}\n${failures.join("\n")}`;
    assert.equal(blobs, expected.blobs ?? (expected.embedded ? 3 : 0), message);
    if (action)
      found.push(
        `action: ${describeCalls(await page.evaluate(() => globalThis.act()), { server: expected.action ?? expected.server })}`,
      );
    return found.join("; ");
  } finally {
    await context.close();
  }
}

/** Runs in the page before its scripts. Observes violations of the policy, and scripts that are created from text. */
function observe() {
  const observed = { violations: [], blobs: 0 };
  globalThis.observed = observed;
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    observed.violations.push(`${effectiveDirective} ${blockedURI}`);
  });
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    if (blob.type === "text/javascript") observed.blobs += 1;
    return create.call(URL, blob);
  };
}

/** Checks and describes the result of the checks in a page. */
function describePage({ kind, fallback, transport, samples, screen }, expected) {
  assert.equal(kind, "wasm");
  assert.equal(fallback !== undefined, Boolean(expected.embedded), fallback);
  const embedded = fallback ? " (embedded)" : "";
  assert.equal(screen, expected.screen ?? "worker");
  if (expected.samples) {
    assert.ok(samples);
    return `page: wasm${embedded}, audio and screen received`;
  }
  assert.equal(transport, expected.transport ?? "port");
  return `page: wasm${embedded}, audio by \`${transport}\`, screen drawn by the ${screen}`;
}

/** Requests the result of code on the server of a project. */
async function requestServer(origin, path, { expected }) {
  const response = await fetch(origin + path, { signal: AbortSignal.timeout(90_000) });
  const text = await response.text();
  assert.equal(response.status, 200, `${path}: ${response.status} ${text.slice(0, 500)}`);
  return `${path}: ${describeCalls(JSON.parse(text), expected)}`;
}

/** Checks and describes the result of `callComputer`. */
function describeCalls({ error, kind, cause, ...rest }, { server = "native" } = {}) {
  if (error) throw new Error(error);
  assert.deepEqual(rest, { output: "42\n", size: [1280, 720], bytes: true });
  assert.equal(kind, server, cause);
  if (cause === undefined) return kind;
  assert.match(cause, /^no native addon can be loaded: the package orgo-sdk-\S+ is not installed where .* run `npm install /);
  return `${kind} (fallback)`;
}
