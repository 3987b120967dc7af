// The location of the package in ES modules. `location-cjs.ts` is the version for CommonJS.

import { fileURLToPath } from "node:url";
import type { Target } from "./targets.js";

/**
 * Returns the location of this script, or of the bundle that contains it. If a bundler converts it to CommonJS, `import.meta` is
 * empty.
 */
export const location = () => import.meta.url ?? __filename;

/**
 * Returns the path of the addon in the package of a platform, if this package is installed next to `orgo-sdk`. Turbopack, and tools
 * that trace the files of a server (@vercel/nft), evaluate this expression and include the addon.
 */
export function sibling({ name }: Target): string | undefined {
  // Outside `try`, Turbopack would fail if no such package is installed.
  try {
    return fileURLToPath(new URL(`../../orgo-sdk-${name}/orgo.${name}.node`, import.meta.url));
  } catch {
    return undefined;
  }
}
