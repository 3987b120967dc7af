// A package registry that contains the packed package and the packages of all platforms, as the public registry will.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pack } from "../../../scripts/lib/pack.mjs";
import { packageName, TARGETS } from "../../../scripts/lib/targets.mjs";
import { readManifest, write } from "../project.mjs";

/** Package managers refuse versions that are too new. */
const PUBLISHED = "2020-01-01T00:00:00.000Z";

/**
 * Starts the registry on a free port.
 *
 * @returns {Promise<{ url: string, version: string, downloads: string[], sizes: Record<string, number>, close(): Promise<void> }>}
 *   `downloads` are the names of the downloaded tarballs, `sizes` the sizes of the packed tarballs in bytes
 */
export async function startRegistry() {
  const folder = mkdtempSync(join(tmpdir(), "orgo-registry-"));
  const tarballs = new Map();
  const manifests = new Map();
  for (const path of Object.values(pack(folder))) {
    const manifest = readManifest(path);
    tarballs.set(`/-/${basename(path)}`, readFileSync(path));
    manifests.set(manifest.name, manifest);
  }
  const built = manifests.get("orgo-sdk");
  const sizes = Object.fromEntries([...tarballs].map(([path, { length }]) => [basename(path), length]));
  // The addons of other platforms are not built here, so their packages have only a manifest.
  for (const target of TARGETS) {
    const { version } = built;
    const name = packageName(target);
    if (manifests.has(name)) continue;
    const manifest = { name, version, os: [target.os], cpu: [target.cpu], libc: target.libc && [target.libc] };
    tarballs.set(`/-/${name}-${version}.tgz`, packManifest(folder, manifest));
    manifests.set(name, manifest);
  }
  const downloads = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://registry");
    const manifest = manifests.get(pathname.slice(1));
    if (manifest) {
      const file = `/-/${manifest.name}-${manifest.version}.tgz`;
      const tarball = `http://${request.headers.host}${file}`;
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify(describe(manifest, tarball, tarballs.get(file))));
    }
    downloads.push(basename(pathname));
    const content = tarballs.get(pathname);
    if (content === undefined) response.writeHead(404);
    response.end(content);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    version: built.version,
    downloads,
    sizes,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
      rmSync(folder, { recursive: true });
    },
  };
}

/** Returns a tarball with a manifest. */
function packManifest(folder, manifest) {
  const staging = join(folder, manifest.name);
  write({ folder: staging }, { "package/package.json": JSON.stringify(manifest) });
  return execFileSync("tar", ["-czf", "-", "-C", staging, "package"]);
}

/** Returns the description of a package in the format of npm's registry. */
function describe(manifest, tarball, content) {
  const digest = (algorithm, encoding) => createHash(algorithm).update(content).digest(encoding);
  const dist = { tarball, shasum: digest("sha1", "hex"), integrity: `sha512-${digest("sha512", "base64")}` };
  const { name, version } = manifest;
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    time: { created: PUBLISHED, modified: PUBLISHED, [version]: PUBLISHED },
  };
}
