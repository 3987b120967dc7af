// Builds the addons for distribution into target/addons, and checks them: `npm run addons [-- linux-x64-musl darwin-arm64]`.
// Without names, builds the addons of all platforms that this machine can build for.
//
// Linux builds all addons for Linux with Zig, so that they work with old versions of the C library. The addons for macOS and
// Windows need the SDKs of these systems, so the release workflow builds them there.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { anonymous, cargoTarget } from "./lib/cargo.mjs";
import { inspect, OLDEST_GLIBC } from "./lib/inspect.mjs";
import { Failure, main, root, run, step } from "./lib/step.mjs";
import { addonFile, addonLibrary, TARGETS } from "./lib/targets.mjs";
import { ensureRustTargets, ensureZig, usePaths } from "./lib/tools.mjs";

/** The folder of the addons that this script builds. */
const OUT = join(root, "target/addons");

async function build(target) {
  // Addons are libraries, so they use the C library of the process, and musl must not be linked statically.
  const env = anonymous(target.libc === "musl" ? ["-Ctarget-feature=-crt-static"] : []);
  const triple = target.libc === "glibc" ? `${target.rust}.${OLDEST_GLIBC}` : target.rust;
  const command = target.os === "linux" ? "zigbuild" : "build";
  await run("cargo", [command, "--package", "orgo-node", "--profile", "addon", "--target", triple], { env });
  mkdirSync(OUT, { recursive: true });
  const addon = join(OUT, addonFile(target));
  copyFileSync(join(cargoTarget(), target.rust, "addon", addonLibrary(target)), addon);
  const { facts, problems } = inspect(addon, target);
  console.log(`  ${addon}: ${facts}`);
  if (problems.length > 0) throw new Failure(`${addon} cannot be published:\n  ${problems.join("\n  ")}`);
}

function select(names) {
  for (const name of names) {
    const target = TARGETS.find((target) => target.name === name);
    if (target === undefined)
      throw new Failure(`Unknown platform ${name}. Platforms: ${TARGETS.map(({ name }) => name).join(", ")}`);
    if (target.os !== process.platform) throw new Failure(`The addon for ${name} can only be built on ${target.os}`);
  }
  return TARGETS.filter(({ name, os }) => (names.length > 0 ? names.includes(name) : os === process.platform));
}

await main(async () => {
  usePaths();
  const targets = select(argv.slice(2));
  if (process.platform === "linux") await step("Zig", ensureZig);
  await step("Rust", () => ensureRustTargets(targets.map(({ rust }) => rust)));
  for (const target of targets) await step(`Addon: ${target.name}`, () => build(target));
});
