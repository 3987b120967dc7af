// Builds with Cargo for distribution.
import { homedir } from "node:os";
import { join } from "node:path";
import { root } from "./step.mjs";

/** Returns Cargo's output directory. */
export const cargoTarget = () => process.env.CARGO_TARGET_DIR ?? join(root, "target");

/**
 * Returns the environment variables for building the binaries that are distributed. Panic messages contain the paths of
 * source files. The variables make these paths relative to the checkout or the registry, so they do not reveal the home
 * directory of the build machine.
 *
 * @param {string[]} [additional] further flags of rustc
 */
export function anonymous(additional = []) {
  const { CARGO_ENCODED_RUSTFLAGS: encoded, RUSTFLAGS: plain, CARGO_HOME: home = join(homedir(), ".cargo") } = process.env;
  const flags = encoded?.split("\x1f") ?? plain?.split(" ").filter(Boolean) ?? [];
  const hidden = [join(home, "registry/src"), join(root, ".")].map((path) => `--remap-path-prefix=${path}=.`);
  return { CARGO_ENCODED_RUSTFLAGS: [...flags, ...additional, ...hidden].join("\x1f") };
}
