// Tests the types of the packed package with all settings for modules and several versions of TypeScript.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before } from "node:test";
import { Matrix } from "./matrix.mjs";
import { openProject, write } from "./project.mjs";

const PROGRAM = `
import { configure, NotFoundError, Orgo, type ConnectionData, type DesktopEvent } from "orgo-sdk";

export async function work(sent: ConnectionData): Promise<number> {
  configure({ wasm: "https://example.com/orgo_wasm_bg.wasm" });
  const orgo = new Orgo({ apiKey: "sk_live_x", timeout: 1_000 });
  const computer = orgo.computer("id");
  const { width }: { width: number } = await computer.screenshot();
  // @ts-expect-error y is missing
  await computer.click({ x: 1 });
  const events = await computer.events(["clipboard"]);
  const copied: string = (await events.waitFor("clipboard")).data.content;
  for await (const event of events) name(event);
  for await (const text of await Orgo.connect(sent).terminal()) text.trim();
  try {
    await computer.delete();
  } catch (error) {
    if (error instanceof NotFoundError) return error.status;
  }
  return width + copied.length;
}

function name(event: DesktopEvent): string {
  return event.type === "window_open" ? event.data.title : event.timestamp;
}
`;

/** Settings that find more errors than `strict`. */
const STRICTER = {
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  isolatedModules: true,
};
const ES = ["ES2022"];
const PAGE = { module: "ESNext", moduleResolution: "Bundler", customConditions: ["browser"], verbatimModuleSyntax: true };

/** The `type` of the project's manifest, and compiler options. Without `types`, the declarations of Node are not available. */
const SETTINGS = {
  "Node, ES module": ["module", { module: "NodeNext", verbatimModuleSyntax: true }],
  "Node, CommonJS": ["commonjs", { module: "NodeNext" }],
  "Node with its types, ES module": ["module", { module: "NodeNext", types: ["node"] }],
  "Node with its types and DOM, CommonJS": ["commonjs", { module: "NodeNext", types: ["node"], lib: [...ES, "DOM"] }],
  "node16, ES module": ["module", { module: "Node16" }],
  "node16, CommonJS": ["commonjs", { module: "Node16" }],
  "bundled page": ["module", { ...PAGE, lib: [...ES, "DOM"] }],
  "bundled page without its types": ["module", PAGE],
  "bundled web worker": ["module", { ...PAGE, lib: [...ES, "WebWorker"] }],
  "bundled server": ["module", { module: "ESNext", moduleResolution: "Bundler", customConditions: ["node"], types: ["node"] }],
  "without `exports`": ["commonjs", { module: "CommonJS", moduleResolution: "node10", lib: [...ES, "DOM"] }],
};
/** The versions of TypeScript. The first and the last run in `npm test`. */
const VERSIONS = ["5.2", "5.4", "5.6", "5.9", "6.0", "7.0"];

const matrix = new Matrix("typescript");
let project;
before(() => {
  project = openProject("typescript");
  write(project, { "program.ts": PROGRAM });
});
after(() => {
  project?.remove();
  matrix.finish();
});

/** Compiles the program. Checks all declarations. */
function compile(version, type, options) {
  const strict = { noEmit: true, strict: true, skipLibCheck: false, types: [], ...STRICTER };
  const compilerOptions = { ...strict, target: "ES2022", lib: ES, ...options };
  write(project, {
    "package.json": JSON.stringify({ name: "project", private: true, type }),
    "tsconfig.json": JSON.stringify({ compilerOptions, files: ["program.ts"] }),
  });
  const tsc = join(project.folder, "node_modules", `typescript-${version}`, "bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", project.folder], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
  return "compiles";
}

for (const version of VERSIONS) {
  for (const [mode, [type, options]] of Object.entries(SETTINGS)) {
    const name = `typescript-${version}`;
    const row = { project: name, mode, quick: version === VERSIONS[0] || version === VERSIONS.at(-1) };
    // TypeScript 7 has no resolution without `exports`, and TypeScript 6 announces this.
    if (options.moduleResolution === "node10" && version === "7.0") continue;
    const used = options.moduleResolution === "node10" && version === "6.0" ? { ...options, ignoreDeprecations: "6.0" } : options;
    if (!matrix.includes(row)) continue;
    const versions = () => ({ typescript: project.versions[name].split("@").at(-1) });
    matrix.row({ ...row, versions }, async () => compile(version, type, used));
  }
}
