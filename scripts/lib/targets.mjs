// The platforms that have a native addon. npm/targets.json is the list that the build, the packages and the tests share.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./step.mjs";

/**
 * @typedef {object} Target
 * @property {string} name the platform part of file and package names, such as `linux-x64-gnu`
 * @property {string} rust the target triple of rustc
 * @property {string} os the value of `process.platform`
 * @property {string} cpu the value of `process.arch`
 * @property {"glibc" | "musl"} [libc] the C library, on Linux
 */

/** @type {readonly Target[]} */
export const TARGETS = JSON.parse(readFileSync(join(root, "npm/targets.json"), "utf8"));

/** Returns the target of this process, or `undefined` if there is no addon for it. */
export function localTarget() {
  const { platform, arch } = process;
  const glibc = platform === "linux" && process.report.getReport().header.glibcVersionRuntime !== undefined;
  const libc = platform !== "linux" ? undefined : glibc ? "glibc" : "musl";
  return TARGETS.find((target) => target.os === platform && target.cpu === arch && target.libc === libc);
}

/** Returns the file name of a target's addon. */
export const addonFile = ({ name }) => `orgo.${name}.node`;

/** Returns the file name of Cargo's output for a target's addon. */
export const addonLibrary = ({ os }) => ({ linux: "liborgo_node.so", darwin: "liborgo_node.dylib", win32: "orgo_node.dll" })[os];

/** Returns the name of the npm package that contains a target's addon. */
export const packageName = ({ name }) => `orgo-sdk-${name}`;
