/** A platform that has a native addon. */
export interface Target {
  /** The platform part of file and package names, such as `linux-x64-gnu`. */
  name: string;
  /** The target triple of rustc. */
  rust: string;
  /** The value of `process.platform`. */
  os: string;
  /** The value of `process.arch`. */
  cpu: string;
  /** The C library, on Linux. */
  libc?: "glibc" | "musl";
}

export const TARGETS: readonly Target[];
/** Returns the target of this process, or `undefined` if there is no addon for it. */
export function localTarget(): Target | undefined;
/** Returns the file name of a target's addon. */
export function addonFile(target: Target): string;
/** Returns the name of the npm package that contains a target's addon. */
export function packageName(target: Target): string;
