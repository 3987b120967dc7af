// The vectors as they are on the disk, and how values are compared.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../vectors/", import.meta.url);

/**
 * Every case of a folder of `tests/vectors`; a file holds one or a list of them.
 *
 * @param {"calls" | "channels"} kind
 * @returns {{ file: string, vector: any }[]}
 */
export function readVectors(kind) {
  const files = readdirSync(new URL(kind, folder)).sort();
  for (const file of files) assert.match(file, /\.json$/, `${kind}/${file} is no vector`);
  return files.flatMap((file) => {
    const content = JSON.parse(readFileSync(new URL(`${kind}/${file}`, folder), "utf8"));
    return [content].flat().map((vector) => {
      for (const why of [vector.virtual, vector.native]) assert.ok(why === undefined || typeof why === "string", file);
      return { file: file.replace(".json", ""), vector };
    });
  });
}

/** JSON with the fields of every object in one order, so that equal values are equal texts. */
export function canonical(value) {
  const sorted = (_, inner) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.stringify(value, sorted);
}

/** What a value says of the fields that `expected` names, at any depth. */
export function part(value, expected) {
  if (typeof expected !== "object" || expected === null || Array.isArray(expected)) return value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(expected).map(([name, inner]) => [name, part(value[name], inner)]));
}

/** Whether a value has what `expected` names. */
export const fits = (value, expected) => canonical(part(value, expected)) === canonical(expected);
