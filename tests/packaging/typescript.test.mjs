// Tests the types of the packed package: checks all declarations, without the types of other packages.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { createProject, write } from "./project.mjs";

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
const PROGRAM = `
import { NotFoundError, Orgo, type ConnectionData, type DesktopEvent } from "orgo-sdk";

export async function work(sent: ConnectionData): Promise<number> {
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

let project;
before(() => {
  project = createProject({ "program.ts": PROGRAM });
});
after(() => project?.remove());

function compile(type, options) {
  const strict = { noEmit: true, strict: true, skipLibCheck: false, types: [] };
  const compilerOptions = { ...strict, target: "ES2022", lib: ["ES2022"], ...options };
  write(project, {
    "package.json": JSON.stringify({ name: "project", private: true, type }),
    "tsconfig.json": JSON.stringify({ compilerOptions, files: ["program.ts"] }),
  });
  const { stdout, status } = spawnSync(process.execPath, [tsc, "--project", project.folder], { encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

test("an ES module in Node compiles", () => compile("module", { module: "NodeNext" }));
test("a CommonJS module in Node compiles", () => compile("commonjs", { module: "NodeNext" }));
test("a bundled page compiles", () => {
  const bundled = { module: "ESNext", moduleResolution: "Bundler", customConditions: ["browser"] };
  compile("module", { ...bundled, lib: ["ES2022", "DOM"] });
});
