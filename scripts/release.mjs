// Prepares and publishes releases. CONTRIBUTING.md describes the steps.
//
// `npm run release:version [-- 1.2.3]` sets the version in all files. Without a version, it copies the version and the addresses
// of Cargo.toml to all files.
//
// `npm run release:dry` creates all packages of a release in target/release-packages and checks them. It contains a package for
// each addon in target/addons (`npm run addons`), or for the addon of this machine if there is none. `--complete` requires the
// addons of all platforms, `--tag v1.2.3` the version of this tag, and `--update` accepts the current files of the packages,
// and records the licenses of the standard library.
//
// The workflow release.yml publishes with the commands `publish-npm` and `publish-crates`.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { cargoTarget } from "./lib/cargo.mjs";
import { checkManifests, project, updateManifests } from "./lib/manifest.mjs";
import { recordLibrary } from "./lib/notices.mjs";
import { BUILT_ADDONS, LOCAL_ADDONS, pack } from "./lib/pack.mjs";
import { Failure, main, output, root, run, step } from "./lib/step.mjs";
import { packageName, TARGETS } from "./lib/targets.mjs";

/** The crates that are published, in the order of their dependencies. */
const CRATES = ["orgo-playout", "orgo-screen", "orgo-core"];

/** The folder of the packages that `release:dry` creates. */
const PACKAGES = join(root, "target/release-packages");

/**
 * Creates all packages of a release, and checks them.
 *
 * @param {object} options
 * @param {string} options.out the folder for the packages
 * @param {string} [options.addons] the folder of the addons
 * @param {boolean} [options.complete] require the addons of all platforms
 * @param {string} [options.tag] the Git tag of the release
 * @param {boolean} [options.update] write the list of expected files
 * @param {boolean} [options.verify] compile the packed crates. This requires a checkout without changes.
 * @returns {Promise<Record<string, string>>} the path of each package by its name
 */
export async function releaseDry({ out, addons = LOCAL_ADDONS, complete = false, tag, update = false, verify = false }) {
  await step("Versions and addresses", () => checkManifests({ tag }));
  if (update) recordLibrary();
  const archives = await step("Packages for npm", () => pack(out, { addons }));
  const missing = TARGETS.map(packageName).filter((name) => archives[name] === undefined);
  if (complete && missing.length > 0) throw new Failure(`${addons} has no addons for ${missing.join(", ")}`);
  await step("Crates", async () => Object.assign(archives, await packCrates(verify)));
  // The checkers of packages are loaded here, so that the other commands do not need them.
  const { checkPublished } = await import("./lib/published.mjs");
  await step("Contents", () => checkPublished(archives, { portable: addons !== LOCAL_ADDONS, update }));
  return archives;
}

/** Returns the path of each packed crate by its name. */
async function packCrates(verify) {
  const crates = CRATES.flatMap((name) => ["--package", name]);
  const command = verify ? ["publish", "--dry-run"] : ["package", "--no-verify", "--allow-dirty", "--offline"];
  await run("cargo", [...command, "--quiet", "--locked", ...crates]);
  const { version } = project();
  return Object.fromEntries(CRATES.map((name) => [name, join(cargoTarget(), "package", `${name}-${version}.crate`)]));
}

async function dry(args) {
  const { values } = parseArgs({
    args,
    options: { complete: { type: "boolean" }, tag: { type: "string" }, update: { type: "boolean" } },
  });
  const built = existsSync(BUILT_ADDONS);
  await build({ desktop: false, only: ["wasm", ...(built ? [] : ["addon"]), "npm"] });
  rmSync(PACKAGES, { recursive: true, force: true });
  await releaseDry({ ...values, out: PACKAGES, addons: built ? BUILT_ADDONS : LOCAL_ADDONS, verify: !values.update });
}

/** Publishes the packages of a release to npm, unless a previous run has published them. */
async function publishNpm() {
  const { version } = project();
  const isPrerelease = version.includes("-");
  // The package of the SDK comes last, because its users install the others with it.
  for (const name of [...TARGETS.map(packageName), "orgo-sdk"]) {
    if ((await output("npm", ["view", `${name}@${version}`, "version"]))?.trim() === version) {
      console.log(`${name}@${version} is already published`);
      continue;
    }
    const tag = isPrerelease ? "next" : "latest";
    const tarball = join(PACKAGES, `${name}-${version}.tgz`);
    await run("npm", ["publish", tarball, "--provenance", "--access", "public", "--tag", tag]);
  }
}

/** Publishes the crates of a release, unless a previous run has published them. */
async function publishCrates() {
  const { version } = project();
  for (const name of CRATES) {
    if ((await output("cargo", ["info", "--registry", "crates-io", `${name}@${version}`])) !== undefined) {
      console.log(`${name} ${version} is already published`);
      continue;
    }
    await run("cargo", ["publish", "--locked", "--package", name]);
  }
}

function version([version]) {
  const changed = updateManifests(version);
  console.log(changed.length > 0 ? changed.join("\n") : "All files agree with Cargo.toml.");
}

const COMMANDS = { dry, version, "publish-npm": publishNpm, "publish-crates": publishCrates };

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const [command, ...args] = argv.slice(2);
  await main(async () => {
    const run = COMMANDS[command];
    if (run === undefined) throw new Failure(`Unknown command ${command}. Commands: ${Object.keys(COMMANDS).join(", ")}`);
    await run(args);
  });
}
