// Lists the files that match a pattern `FOLDER/*SUFFIX`. Node 20 has no glob function.
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./step.mjs";

/** @returns {string[]} absolute paths, sorted */
export function globSync(pattern) {
  const folder = join(root, dirname(pattern));
  const suffix = pattern.slice(pattern.lastIndexOf("*") + 1);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(folder, name));
}
