import type { Binding } from "../binding.js";
import { BindingError } from "../errors.js";
import { VERSION } from "../version.js";
import { addonFile, localTarget, packageName, type Target } from "./targets.js";

/**
 * Loads the native addon of this process, whose exports are a {@link Binding}: from the folder `native` next to the entry, which
 * exists only in a local build, or from the package of the platform, an optional dependency.
 *
 * @param require Loads a module by a path relative to the package's entry, or by the name of a package.
 */
export function loadNative(require: (path: string) => unknown, target: Target | undefined = localTarget()): Binding {
  if (target === undefined) throw unusable(`there is none for ${process.platform} ${process.arch}`);
  const name = packageName(target);
  let failure: BindingError | undefined;
  for (const path of [`./native/${addonFile(target)}`, name]) {
    try {
      const binding = require(path) as Binding;
      const version = binding.version();
      if (version === VERSION) return binding;
      failure ??= unusable(`${path} has the version ${version}, but orgo-sdk ${VERSION}: install ${name}@${VERSION}`);
    } catch (error) {
      if (!isMissing(error)) failure ??= unusable(`${path}: ${(error as Error).message.split("\n", 1)[0]}`, error);
    }
  }
  const remedy = `run \`npm install ${name}@${VERSION}\`, and allow optional dependencies`;
  throw failure ?? unusable(`the package ${name} is not installed: ${remedy}`);
}

/** Returns whether a module does not exist, rather than fails to load. */
const isMissing = (error: unknown) => /MODULE_NOT_FOUND$/.test(String((error as { code?: unknown }).code));

function unusable(problem: string, cause?: unknown): BindingError {
  return new BindingError({ kind: "binding", message: `no native addon can be loaded: ${problem}`, delivered: "no", cause });
}
