// Prepares releases. Publishing itself is the task of .github/workflows/release.yml.
//
// `npm run release:version [-- 1.2.3]` sets the version in all files. Without a version, it copies the version and the addresses
// of Cargo.toml to all files.
//
// `npm run release:dry` creates all packages of a release in target/release-packages and checks them. It contains a package for
// each addon in target/addons (`npm run addons`), or for the addon of this machine if there is none.
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { cargoTarget } from "./lib/cargo.mjs";
import { checkManifests, project, updateManifests } from "./lib/manifest.mjs";
import { LOCAL_ADDONS, pack } from "./lib/pack.mjs";
import { Failure, main, root, run, step } from "./lib/step.mjs";

/** The crates that are published, in the order of their dependencies. */
const CRATES = ["orgo-playout", "orgo-core"];

/**
 * Creates all packages of a release, and checks them.
 *
 * @param {object} options
 * @param {string} options.out the folder for the packages
 * @param {string} [options.addons] the folder of the addons
 * @param {string} [options.tag] the Git tag of the release
 * @param {boolean} [options.update] write the list of expected files
 * @param {boolean} [options.verify] compile the packed crates. This requires a checkout without changes.
 * @returns {Promise<Record<string, string>>} the path of each package by its name
 */
export async function releaseDry({ out, addons = LOCAL_ADDONS, tag, update = false, verify = false }) {
  await step("Versions and addresses", () => checkManifests({ tag }));
  const archives = await step("Packages for npm", () => pack(out, { addons }));
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
    options: {
      addons: { type: "string" },
      tag: { type: "string" },
      update: { type: "boolean" },
      "allow-dirty": { type: "boolean" },
    },
  });
  await build({ desktop: false, only: ["wasm", "addon", "npm"] });
  const built = join(root, "target/addons");
  const addons = values.addons ?? (existsSync(built) ? built : LOCAL_ADDONS);
  const out = join(root, "target/release-packages");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await releaseDry({ out, addons, tag: values.tag, update: values.update, verify: !values["allow-dirty"] });
}

function version([version]) {
  const changed = updateManifests(version);
  console.log(changed.length > 0 ? changed.join("\n") : "All files agree with Cargo.toml.");
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const [command, ...args] = argv.slice(2);
  await main(async () => {
    if (command === "dry") await dry(args);
    else if (command === "version") version(args);
    else throw new Failure(`Unknown command ${command}. Commands: dry, version`);
  });
}
