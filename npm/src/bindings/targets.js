// The platforms that have a native addon. The loader of the package and the scripts share this list. It is plain JavaScript,
// because the scripts run before anything is installed.

export const TARGETS = [
  { name: "linux-x64-gnu", rust: "x86_64-unknown-linux-gnu", os: "linux", cpu: "x64", libc: "glibc" },
  { name: "linux-arm64-gnu", rust: "aarch64-unknown-linux-gnu", os: "linux", cpu: "arm64", libc: "glibc" },
  { name: "linux-x64-musl", rust: "x86_64-unknown-linux-musl", os: "linux", cpu: "x64", libc: "musl" },
  { name: "linux-arm64-musl", rust: "aarch64-unknown-linux-musl", os: "linux", cpu: "arm64", libc: "musl" },
  { name: "darwin-x64", rust: "x86_64-apple-darwin", os: "darwin", cpu: "x64" },
  { name: "darwin-arm64", rust: "aarch64-apple-darwin", os: "darwin", cpu: "arm64" },
  { name: "win32-x64-msvc", rust: "x86_64-pc-windows-msvc", os: "win32", cpu: "x64" },
];

export function localTarget() {
  const { platform, arch } = process;
  const libc = platform === "linux" ? localLibc() : undefined;
  return TARGETS.find((target) => target.os === platform && target.cpu === arch && target.libc === libc);
}

export const addonFile = ({ name }) => `orgo.${name}.node`;

export const packageName = ({ name }) => `orgo-sdk-${name}`;

/** Returns the C library of this process. */
const localLibc = () => libcOfProgram() ?? libcOfReport();

/** Returns the C library whose loader the program names in its header. Reading it takes a fraction of the time of a report. */
function libcOfProgram() {
  try {
    const { closeSync, openSync, readSync } = process.getBuiltinModule("node:fs");
    const program = openSync(process.execPath, "r");
    const header = Buffer.alloc(4096);
    readSync(program, header);
    closeSync(program);
    if (header.includes("/ld-musl-")) return "musl";
    return header.includes("/ld-linux") ? "glibc" : undefined;
  } catch {
    // Node before 20.16 and other runtimes do not have the function, and Deno requires a permission for the file.
    return undefined;
  }
}

/** Returns glibc, unless the report of the runtime names musl. */
function libcOfReport() {
  const { report } = process;
  const excludeNetwork = report?.excludeNetwork;
  try {
    // The report would resolve the addresses of open sockets, which can take seconds.
    report.excludeNetwork = true;
    const { header, sharedObjects } = report.getReport();
    const musl = !header.glibcVersionRuntime && sharedObjects.some((path) => /\b(?:ld-musl|libc\.musl)-/.test(path));
    return musl ? "musl" : "glibc";
  } catch {
    // Deno requires a permission for the report, and other runtimes have none.
    return "glibc";
  } finally {
    if (report) report.excludeNetwork = excludeNetwork;
  }
}
