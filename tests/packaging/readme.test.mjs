// Tests the code in the READMEs: all snippets compile with the package's types, and complete examples run.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import * as vite from "vite";
import { startChromium } from "../support/chromium.mjs";
import { createComputer } from "../support/computer.mjs";
import { desktopProgram, startDesktop } from "../support/desktop.mjs";
import { startPages } from "../support/pages.mjs";
import { decodePng } from "../support/png.mjs";
import { within } from "../support/wait.mjs";
import { createProject, write } from "./project.mjs";

const LIMIT = { timeout: 60_000 };
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
const README = snippets("../../README.md");
const PACKAGE = snippets("../../npm/README.md");

/** The declarations of the names that the snippets use without declaring them. */
const CONTEXT = `
import type * as sdk from "orgo-sdk";
declare global {
  const Orgo: typeof sdk.Orgo;
  const orgo: sdk.Orgo;
  const computer: sdk.Computer;
  const terminal: sdk.Terminal;
  const audio: sdk.AudioStream;
  const id: string;
  const workspace_id: string;
  const file: Blob;
  const onProgress: (progress: sdk.UploadProgress) => void;
  const response: { json(body: unknown): void };
  const xterm: { write(text: string): void };
  const button: HTMLButtonElement;
  const element: HTMLElement;
  const webStream: ReadableStream<Uint8Array>;
  const unmute: HTMLButtonElement;
  const bar: HTMLProgressElement;
}
`;

let desktop, project;
before(async () => {
  project = createProject();
  desktop = await startDesktop();
});
after(async () => {
  await desktop?.stop();
  project?.remove();
});

function snippets(path) {
  const text = readFileSync(new URL(path, import.meta.url), "utf8");
  return [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
}

/** Returns the only snippet that contains a text. */
function find(snippets, text) {
  const found = snippets.filter((code) => code.includes(text));
  assert.equal(found.length, 1, `one snippet contains ${text}`);
  return found[0];
}

/** Runs a script in the project with the local desktop. */
function execute(name, code) {
  write(project, { [name]: code });
  const { apiKey, baseUrl, realtimeUrl } = desktop.options;
  const env = { ...process.env, ORGO_API_KEY: apiKey, ORGO_BASE_URL: baseUrl, ORGO_REALTIME_URL: realtimeUrl };
  return spawnSync(process.execPath, [name], { cwd: project.folder, encoding: "utf8", env, timeout: 30_000 });
}

function runScript(name, code) {
  const { status, stderr } = execute(name, code);
  assert.equal(status, 0, stderr);
}

/** Converts an ES module to CommonJS: replaces the imports with `require`. */
function asCommonJs(code) {
  const lines = code.replace(/^import (\{.*\}) from (".*");/gm, "const $1 = require($2);");
  return `(async () => {\n${lines}\n})();`;
}

test("every snippet compiles", () => {
  const modules = [...README, ...PACKAGE].map((code, at) => [`snippet-${at}.ts`, `${code}\nexport {};\n`]);
  const types = dirname(dirname(require.resolve("@types/node/package.json")));
  const compilerOptions = {
    noEmit: true,
    strict: true,
    target: "ES2022",
    lib: ["ES2022", "ESNext.Disposable", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
    module: "ESNext",
    moduleResolution: "Bundler",
    customConditions: ["browser"],
    typeRoots: [types],
    types: ["node"],
  };
  const files = ["context.d.ts", ...modules.map(([name]) => name)];
  const settings = JSON.stringify({ compilerOptions, files });
  write(project, { "context.d.ts": CONTEXT, "tsconfig.json": settings, ...Object.fromEntries(modules) });
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", project.folder], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
});

for (const [name, readme] of Object.entries({ README, PACKAGE })) {
  test(`the first snippet of ${name} runs as an ES module and as CommonJS`, LIMIT, () => {
    const code = find(readme, "agent-1");
    runScript("snippet.mjs", code);
    runScript("snippet.cjs", asCommonJs(code));
    const { width, height } = decodePng(readFileSync(join(project.folder, "screen.png")));
    assert.deepEqual([width, height], [1280, 720]);
  });

  test(`the first snippet of ${name} cleans up when it fails, and can run again`, LIMIT, async () => {
    const { Orgo } = await import("orgo-sdk");
    const orgo = new Orgo(desktop.options);
    const before = await orgo.workspaces.list();
    const code = find(readme, "agent-1");
    const failing = code.replace(/^ *await computer\.click\(.*$/m, 'throw new Error("simulated failure");');
    assert.notEqual(failing, code);
    for (let times = 0; times < 2; times += 1) {
      const { status, stderr } = execute("failing.mjs", failing);
      assert.equal(status, 1);
      assert.match(stderr, /simulated failure/);
    }
    assert.equal((await orgo.workspaces.list()).length, before.length);
  });
}

test("the example test in the package's README starts a desktop and passes", LIMIT, () => {
  write(project, { "agent.test.mjs": find(PACKAGE, "for `node --test`") });
  const { NODE_TEST_CONTEXT, ...rest } = process.env;
  const env = { ...rest, PATH: `${dirname(desktopProgram())}${delimiter}${rest.PATH}` };
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--test", "agent.test.mjs"], {
    cwd: project.folder,
    encoding: "utf8",
    env,
    timeout: 50_000,
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /pass 1\b/);
});

test("a page can open a shell with a connection from a server", LIMIT, async () => {
  const { computer } = await createComputer(await import("orgo-sdk"), desktop.options);
  const built = join(project.folder, "built");
  mkdirSync(built);
  write(project, {
    "index.html": '<!doctype html><title>Page</title><script type="module" src="./main.js"></script>',
    "main.js": find(README, "// in the page"),
  });
  await vite.build({ root: project.folder, logLevel: "warn", build: { outDir: built, target: "es2022" } });
  const pages = await startPages(() => built);
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    const AsyncFunction = (async () => {}).constructor;
    const serve = new AsyncFunction("computer", "response", find(README, "// on the server"));
    await page.route("**/connection", (route) => serve(computer, { json: (json) => route.fulfill({ json }) }));
    const printed = page.waitForEvent("console", (message) => /^42\s*$/m.test(message.text()));
    await page.goto(pages.origin);
    await within("the output of the shell", printed, 30_000);
  } finally {
    await browser.close();
    await pages.close();
  }
});
