// Measures the installation and the import of the package next to those of SDKs with a similar purpose:
// `npm run bench -- install [ROUNDS]`. The other SDKs come from npm's registry.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv, execPath } from "node:process";
import { promisify } from "node:util";
import { startRegistry } from "../../packaging/servers/registry.mjs";
import { interleave, median } from "../measure.mjs";

const rounds = Number(argv[2] ?? 10);
const OTHERS = ["@onkernel/sdk@0.84.0", "e2b@2.51.0", "@e2b/desktop@2.4.0", "@e2b/code-interpreter@2.8.0"];

const folder = mkdtempSync(join(tmpdir(), "orgo-install-"));
const registry = await startRegistry();
try {
  const packages = [["orgo-sdk", `--registry=${registry.url}`], ...OTHERS.map((name) => [name])];
  const projects = packages.map((args, at) => ({ args, name: args[0].replace(/(?!^)@.*$/, ""), path: join(folder, String(at)) }));
  for (const { name, path } of projects) {
    writeFiles(path, {
      "package.json": '{ "private": true }',
      "main.mjs": `await import("${name}");\n`,
      "main.cjs": `require("${name}");\n`,
      "empty.mjs": "",
    });
  }
  const variants = (run) => Object.fromEntries(projects.map((project) => [project.args[0], () => run(project)]));
  // The unmeasured rounds fill the cache of npm.
  const installs = await interleave(variants(install), rounds);
  const imports = await interleave(
    { empty: () => node(projects[0].path, "empty.mjs"), ...variants(({ path }) => node(path, "main.mjs")) },
    rounds,
  );
  const requires = await interleave(
    variants(({ path }) => node(path, "main.cjs")),
    rounds,
  );

  console.log(`\nMedians of ${rounds} rounds with a filled cache, Node ${process.version}`);
  console.log("| package | packages | files | MB | install, s | `import`, ms | `require`, ms |\n|---|---|---|---|---|---|---|");
  for (const { args, path } of projects) {
    const [name] = args;
    const { packages, files, bytes } = contentOf(join(path, "node_modules"));
    const empty = median(imports.empty);
    const times = [
      (median(installs[name]) / 1000).toFixed(2),
      ...[imports, requires].map((it) => (median(it[name]) - empty).toFixed(0)),
    ];
    console.log(`| ${[name, packages, files, (bytes / 1e6).toFixed(1), ...times].join(" | ")} |`);
  }
  console.log(`\nTimes of \`import\` and \`require\` are without the start of Node, ${median(imports.empty).toFixed(0)} ms.`);
  for (const [name, size] of Object.entries(registry.sizes)) console.log(`${name}: ${(size / 1e6).toFixed(2)} MB`);
} finally {
  await registry.close();
  rmSync(folder, { recursive: true });
}

async function install({ path, args }) {
  rmSync(join(path, "node_modules"), { recursive: true, force: true });
  rmSync(join(path, "package-lock.json"), { force: true });
  const options = ["--silent", "--no-audit", "--no-fund", "--prefer-offline", `--cache=${join(folder, "cache")}`];
  // The registry runs in this process, so the process must not wait synchronously.
  await promisify(execFile)("npm", ["install", "--no-save", ...options, ...args], { cwd: path });
}

function node(cwd, script) {
  return promisify(execFile)(execPath, [script], { cwd });
}

function writeFiles(path, files) {
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
}

/** Counts the packages, files and bytes of installed dependencies. */
function contentOf(modules) {
  const entries = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map(({ parentPath, name }) => join(parentPath, name));
  const isManifest = (path) => /node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path);
  const packages = files.filter(isManifest).length;
  return { packages, files: files.length, bytes: files.reduce((sum, path) => sum + statSync(path).size, 0) };
}
