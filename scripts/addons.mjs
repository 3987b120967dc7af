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
import { BUILT_ADDONS } from "./lib/pack.mjs";
import { Failure, main, run, step } from "./lib/step.mjs";
import { addonFile, addonLibrary, TARGETS } from "./lib/targets.mjs";
import { ensureRustTargets, ensureZig, usePaths } from "./lib/tools.mjs";

async function build(target) {
  const env = anonymous(flags(target));
  const triple = target.libc === "glibc" ? `${target.rust}.${OLDEST_GLIBC}` : target.rust;
  const command = target.os === "linux" ? "zigbuild" : "build";
  await run("cargo", [command, "--package", "orgo-node", "--profile", "addon", "--target", triple], { env });
  mkdirSync(BUILT_ADDONS, { recursive: true });
  const addon = join(BUILT_ADDONS, addonFile(target));
  copyFileSync(join(cargoTarget(), target.rust, "addon", addonLibrary(target)), addon);
  const { facts, problems } = inspect(addon, target);
  console.log(`  ${addon}: ${facts}`);
  if (problems.length > 0) throw new Failure(`${addon} cannot be published:\n  ${problems.join("\n  ")}`);
}

/** Returns the flags of rustc for a target. */
function flags(target) {
  // An addon uses the C library of the process, so musl must not be linked statically.
  if (target.libc === "musl") return ["-Ctarget-feature=-crt-static"];
  // By default, the library contains the path where it was built.
  if (target.os === "darwin") return [`-Clink-arg=-Wl,-install_name,@rpath/${addonFile(target)}`];
  return [];
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
