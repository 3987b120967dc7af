import type { Binding } from "../binding.js";
import { BindingError } from "../errors.js";

/**
 * Loads the native addon, whose exports are a {@link Binding}. The file name of the addon depends on the platform and the C
 * library.
 *
 * @param require Loads a module by a path relative to the package's entry.
 */
export function loadNative(require: (path: string) => unknown): Binding {
  const failures: string[] = [];
  for (const target of targets()) {
    try {
      return require(`./native/orgo.${target}.node`) as Binding;
    } catch (error) {
      failures.push(`${target}: ${(error as Error).message.split("\n", 1)[0]}`);
    }
  }
  const tried = failures.length > 0 ? failures.join("; ") : `there is none for ${process.platform} ${process.arch}`;
  throw new BindingError({ kind: "binding", message: `no native addon can be loaded: ${tried}`, delivered: "no" });
}

/** Returns the targets of the addon builds that may run on this platform, the most likely target first. */
function targets(): string[] {
  const systems: Partial<Record<NodeJS.Platform, string[]>> = {
    linux: ["linux-ARCH-gnu", "linux-ARCH-musl"],
    darwin: ["darwin-ARCH"],
    win32: ["win32-ARCH-msvc", "win32-ARCH-gnu"],
  };
  return (systems[process.platform] ?? []).map((target) => target.replace("ARCH", process.arch));
}
