// Checks that a built addon works on the platforms that its package promises.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { root } from "./step.mjs";

/** The oldest version of glibc on which the published addons work. Node 20 itself needs 2.28. */
export const OLDEST_GLIBC = "2.17";

/** The function by which Node recognizes an addon. */
const ENTRY = "napi_register_module_v1";

/** The libraries that an addon may need, besides those of the system. All are a part of the C library. */
const LIBRARIES = {
  glibc: /^(?:lib(?:c|m|dl|pthread|rt)\.so\.\d+|ld-linux[\w-]*\.so\.\d+)$/,
  musl: /^libc\.so$/,
};

/** The first bytes of a library, and the byte offset and value that name the processor. */
const FORMATS = {
  linux: { magic: "7f454c46", processor: (bytes) => ({ 62: "x64", 183: "arm64" })[bytes.readUInt16LE(18)] },
  darwin: { magic: "cffaedfe", processor: (bytes) => ({ 16777223: "x64", 16777228: "arm64" })[bytes.readUInt32LE(4)] },
  win32: {
    magic: "4d5a",
    processor: (bytes) => ({ 34404: "x64", 43620: "arm64" })[bytes.readUInt16LE(bytes.readUInt32LE(60) + 4)],
  },
};

/**
 * Checks an addon: its format, processor, entry point, the libraries and symbol versions that it needs, and that it contains
 * no paths of the build machine.
 *
 * @param {string} path
 * @param {import("./targets.mjs").Target} target
 * @param {{ portable?: boolean }} [options] `portable: false` permits libraries of this machine that other machines may not have
 * @returns {{ facts: string, problems: string[] }}
 */
export function inspect(path, target, { portable = true } = {}) {
  const bytes = readFileSync(path);
  const problems = [];
  const { magic, processor } = FORMATS[target.os];
  if (!bytes.subarray(0, magic.length / 2).equals(Buffer.from(magic, "hex"))) {
    return { facts: "", problems: [`it is not a library for ${target.os}`] };
  }
  if (processor(bytes) !== target.cpu) problems.push(`it is not for ${target.cpu}`);
  if (!bytes.includes(ENTRY)) problems.push(`it does not export ${ENTRY}`);
  problems.push(...buildPaths(bytes).map((path) => `it contains the path ${path}`));
  const facts = [`${(bytes.length / 1e6).toFixed(2)} MB`];
  if (target.os === "linux") {
    const { needed, glibc, exported } = readElf(path);
    if (!exported) problems.push(`${ENTRY} is not a dynamic symbol`);
    if (target.libc === "musl" && glibc !== undefined) problems.push("it needs symbols of glibc");
    if (portable) {
      problems.push(...needed.filter((name) => !LIBRARIES[target.libc].test(name)).map((name) => `it needs the library ${name}`));
      if (glibc !== undefined && compare(glibc, OLDEST_GLIBC) > 0) problems.push(`it needs glibc ${glibc}, not ${OLDEST_GLIBC}`);
    }
    facts.push(`needs ${needed.join(" ")}`, glibc === undefined ? "no glibc" : `glibc ${glibc}`);
  }
  return { facts: facts.join(", "), problems };
}

/** The number of paths in a report. A library that contains one path usually contains hundreds. */
const MAX_PATHS = 3;

/** Returns paths of the build machine in the content of a file. */
export function buildPaths(content) {
  const text = content.toString("latin1");
  const homes = [homedir(), process.env.CARGO_HOME, root].filter((home) => home && home !== "/");
  const found = [
    ...homes.filter((home) => text.includes(home)),
    ...(text.match(/(?:\/root|\/home\/[\w.-]+|\/Users\/[\w.-]+|[A-Z]:\\Users\\[\w.-]+)[\\/][\w./\\-]+/g) ?? []),
  ];
  return [...new Set(found)].slice(0, MAX_PATHS);
}

/** Reads the needed libraries and the newest version of glibc that an ELF library needs. */
function readElf(path) {
  const read = (...options) => execFileSync("readelf", ["--wide", ...options, path], { encoding: "utf8", maxBuffer: 64 << 20 });
  const needed = [...read("--dynamic").matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  const versions = [...read("--version-info").matchAll(/Name: GLIBC_([\d.]+)/g)].map(([, version]) => version);
  const symbols = read("--dyn-syms").split("\n");
  const exported = symbols.some((line) => line.includes(` ${ENTRY}`) && !line.includes(" UND "));
  return { needed, glibc: versions.sort(compare).at(-1), exported };
}

/** Compares two versions. */
function compare(one, other) {
  const [[a, b], [c, d]] = [one, other].map((version) => version.split(".").map(Number));
  return a - c || b - d;
}
