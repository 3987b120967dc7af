// Reads the vectors, and compares values.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../vectors/", import.meta.url);

/**
 * Returns every case of a folder of `tests/vectors`. A file contains one case or a list of cases.
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

/** Returns the value as JSON with sorted fields, so that equal values have equal JSON. */
export function canonical(value) {
  const sorted = (_, inner) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return JSON.stringify(value, sorted);
}

/** Returns the part of a value with the fields that `expected` has, at any depth. */
export function part(value, expected) {
  if (typeof expected !== "object" || expected === null || Array.isArray(expected)) return value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(expected).map(([name, inner]) => [name, part(value[name], inner)]));
}

/** Returns whether a value contains `expected`. */
export const fits = (value, expected) => canonical(part(value, expected)) === canonical(expected);
