import type { Binding } from "../binding.js";
import { BindingError } from "../errors.js";
import { VERSION } from "../version.js";
import { addonFile, packageName, type Target } from "./targets.js";

/** The places where {@link loadNative} searches for the addon. */
export interface NativeSources {
  /** Loads a module by a path relative to the package's entry, by the name of a package, or by an absolute path. */
  require: (path: string) => unknown;
  /** Returns the path of the addon if the package of the platform is next to `orgo-sdk`, or `undefined` if that is unknown. */
  sibling: (target: Target) => string | undefined;
}

/**
 * Loads the native addon of this process, whose exports are a {@link Binding}: from the folder `native` next to the entry, which
 * exists only in a local build, or from the package of the platform, an optional dependency.
 */
export function loadNative({ require, sibling }: NativeSources, target: Target | undefined): Binding {
  if (target === undefined) throw unusable(`there is none for ${process.platform} ${process.arch}`);
  const name = packageName(target);
  let failure: BindingError | undefined;
  for (const path of [`./native/${addonFile(target)}`, name, sibling(target)]) {
    if (path === undefined) continue;
    try {
      const binding = require(path) as Binding;
      const version = binding.version();
      if (version === VERSION) return binding;
      failure ??= unusable(`${name} has the version ${version}, but orgo-sdk ${VERSION}: install ${name}@${VERSION}`);
    } catch (error) {
      if (!isMissing(error)) failure ??= unusable((error as Error).message.split("\n", 1)[0] as string, error);
    }
  }
  throw failure ?? unusable(`the package ${name} is not installed where this program can find it: ${remedy(name)}`);
}

const remedy = (name: string) =>
  `run \`npm install ${name}@${VERSION}\` with optional dependencies, and exclude orgo-sdk from a server bundle`;

/** Returns whether a module does not exist, rather than fails to load. */
const isMissing = (error: unknown) => /MODULE_NOT_FOUND$/.test(String((error as { code?: unknown }).code));

function unusable(problem: string, cause?: unknown): BindingError {
  return new BindingError({ kind: "binding", message: `no native addon can be loaded: ${problem}`, delivered: "no", cause });
}
