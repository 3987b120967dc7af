// Packs the npm packages in the form in which they are published: `orgo-sdk` without an addon, and one package with an
// addon for each platform.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { notices } from "./notices.mjs";
import { Failure, root } from "./step.mjs";
import { addonFile, packageName, TARGETS } from "./targets.mjs";

/** The folder of the addon that `npm run build` builds for this machine. */
export const LOCAL_ADDONS = join(root, "npm/dist/native");

/** The folder of the addons that `npm run addons` builds for all platforms. */
export const BUILT_ADDONS = join(root, "target/addons");

const LICENSES = ["LICENSE-APACHE", "LICENSE-MIT"];
const NOTICES = "THIRD-PARTY-NOTICES.txt";

/**
 * Packs `orgo-sdk`, and the package of each platform whose addon exists.
 *
 * The manifest of `orgo-sdk` in the repository has no `optionalDependencies`, because `npm ci` could not install packages
 * that are not published yet. The packed manifest has them.
 *
 * @param {string} out the folder of the tarballs
 * @param {{ addons?: string }} [options] `addons`: the folder of the addons
 * @returns {Record<string, string>} the path of each tarball by the name of its package
 */
export function pack(out, { addons = LOCAL_ADDONS } = {}) {
  const manifest = JSON.parse(readFileSync(join(root, "npm/package.json"), "utf8"));
  const built = TARGETS.filter((target) => existsSync(join(addons, addonFile(target))));
  const staging = mkdtempSync(join(tmpdir(), "orgo-pack-"));
  try {
    const stages = { [manifest.name]: stagePackage(staging, manifest) };
    for (const target of built) stages[packageName(target)] = stagePlatform(staging, manifest, target, addons);
    mkdirSync(out, { recursive: true });
    const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", out, ...Object.values(stages)];
    execFileSync("npm", args, { cwd: staging, stdio: ["ignore", "ignore", "inherit"] });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const names = [manifest.name, ...built.map(packageName)];
  return Object.fromEntries(names.map((name) => [name, join(out, `${name}-${manifest.version}.tgz`)]));
}

function stagePackage(staging, { scripts, devDependencies, ...manifest }) {
  const folder = join(staging, manifest.name);
  if (!existsSync(join(root, "npm/dist/types"))) throw new Failure("npm/dist is incomplete: run `npm run build`");
  for (const name of manifest.files) {
    const from = join(root, "npm", name);
    cpSync(from, join(folder, name), { recursive: true, filter: (path) => relative(LOCAL_ADDONS, path).startsWith("..") });
  }
  const optionalDependencies = Object.fromEntries(TARGETS.map((target) => [packageName(target), manifest.version]));
  const thirdParty = notices(["orgo-wasm", "orgo-playout-wasm", "orgo-screen-wasm"], "wasm32-unknown-unknown", ["ws"]);
  write(folder, { ...manifest, optionalDependencies }, thirdParty);
  return folder;
}

function stagePlatform(staging, { version, license, engines, repository, homepage, bugs, author }, target, addons) {
  const folder = join(staging, packageName(target));
  const file = addonFile(target);
  mkdirSync(folder, { recursive: true });
  cpSync(join(addons, file), join(folder, file));
  writeFileSync(
    join(folder, "README.md"),
    `# ${packageName(target)}\n\nThe native addon of [orgo-sdk](https://www.npmjs.com/package/orgo-sdk) for ${target.rust}.\n` +
      "Install `orgo-sdk`, which depends on this package.\n",
  );
  const platform = {
    name: packageName(target),
    version,
    description: `The native addon of orgo-sdk for ${target.rust}`,
    license,
    author,
    homepage,
    bugs,
    repository,
    type: "commonjs",
    engines,
    os: [target.os],
    cpu: [target.cpu],
    libc: target.libc && [target.libc],
    main: file,
    files: [file],
  };
  write(folder, platform, notices(["orgo-node"], target.rust));
  return folder;
}

/** Writes the manifest and the licenses of a package. npm would not include licenses with these names without `files`. */
function write(folder, manifest, thirdParty) {
  const files = [...manifest.files, ...LICENSES, NOTICES];
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ ...manifest, files }, null, 2)}\n`);
  for (const name of LICENSES) cpSync(join(root, name), join(folder, name));
  writeFileSync(join(folder, NOTICES), thirdParty);
}
