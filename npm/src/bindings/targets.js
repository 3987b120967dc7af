// The names of the platforms with a native addon, for the loader of the package and for the scripts that build it. Plain
// JavaScript, because the scripts run before anything is installed.

export const TARGETS = [
  "linux-x64-gnu",
  "linux-arm64-gnu",
  "linux-x64-musl",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64-msvc",
];

export function currentTarget() {
  const { platform, arch } = process;
  const abi = { linux: () => `-${libc()}`, win32: () => "-msvc" }[platform] ?? (() => "");
  return `${platform}-${arch}${abi()}`;
}

/** Returns the C library of this process. Runtimes whose report does not mention one are built for glibc. */
function libc() {
  const { report } = process;
  const { excludeNetwork } = report;
  // Resolving the addresses of open sockets can take seconds.
  report.excludeNetwork = true;
  const { header, sharedObjects = [] } = report.getReport();
  report.excludeNetwork = excludeNetwork;
  const musl = !header?.glibcVersionRuntime && sharedObjects.some((path) => /\b(?:ld-musl|libc\.musl)-/.test(path));
  return musl ? "musl" : "gnu";
}
