// Checks the dependencies: `npm run audit`. `npm run lint` also runs this check.
//
// cargo-deny checks licenses, sources and duplicate versions of the Rust crates by the rules in deny.toml. It is
// optional, because building cargo-deny takes minutes. The script looks up known vulnerabilities of crates and npm
// packages online and skips this check without a network.
import { spawnSync } from "node:child_process";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { Failure, main, output, root, run } from "./lib/step.mjs";
import { usePaths } from "./lib/tools.mjs";

/** The time limit for a lookup of vulnerabilities, in ms. */
const LOOKUP_TIMEOUT_MS = 60_000;

/**
 * @param {{ tolerant?: boolean }} options `tolerant`: report vulnerabilities without failing, so a newly published
 *   advisory does not fail the tests of an unchanged checkout
 */
export async function audit({ tolerant = false } = {}) {
  await auditCrates();
  for (const check of [auditAdvisories, auditPackages]) {
    try {
      await check();
    } catch (error) {
      if (!tolerant || !(error instanceof Failure)) throw error;
      console.log(`  warning: ${error.message}`);
    }
  }
}

const hasCargoDeny = async () => (await output("cargo", ["deny", "--version"])) !== undefined;

// Counts duplicate versions without listing them, because each warning would print a dependency graph.
const deny = (...checks) => run("cargo", ["deny", "--offline", "--log-level=error", "check", "--show-stats", ...checks]);

async function auditCrates() {
  if (!(await hasCargoDeny())) {
    return console.log("  crates: skipped, cargo-deny is not installed (cargo install cargo-deny --locked)");
  }
  // cargo-deny reads the manifests of all crates, including crates that only other platforms use.
  if ((await output("cargo", ["metadata", "--locked", "--all-features", "--format-version=1"])) === undefined) {
    return console.log("  crates: skipped, offline and not all crates are downloaded");
  }
  await deny("licenses", "bans", "sources");
}

async function auditAdvisories() {
  if (!(await hasCargoDeny())) return;
  if (lookUp("cargo", ["deny", "--log-level=off", "fetch", "db"]).status === 0) await deny("advisories");
  else console.log("  vulnerabilities of crates: skipped, offline");
}

function auditPackages() {
  const { stdout } = lookUp("npm", ["audit", "--json", "--fetch-retries=0"]);
  const report = parse(stdout);
  if (report?.auditReportVersion === undefined)
    return console.log("  vulnerabilities of npm packages: skipped, offline or not supported by the registry");
  const vulnerable = Object.values(report.vulnerabilities);
  if (vulnerable.length === 0) return console.log("  vulnerabilities of npm packages: none");
  const list = vulnerable.map(({ name, severity, range }) => `${name} ${range}: ${severity}`).join("\n  ");
  throw new Failure(`npm audit: ${vulnerable.length} npm packages are vulnerable. \`npm audit\` prints details.\n  ${list}`);
}

function lookUp(command, args) {
  return spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    timeout: LOOKUP_TIMEOUT_MS,
    // Prevents Git from asking for a password.
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0" },
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 64 << 20,
  });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  await main(async () => {
    usePaths();
    await audit();
  });
}
