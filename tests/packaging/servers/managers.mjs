// Package managers, which install the package from a registry.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { write } from "../project.mjs";
import { startRegistry } from "./registry.mjs";
import { open, programs, runIn } from "./rows.mjs";

const PLATFORM = new RegExp(`^orgo-sdk-${process.platform}-${process.arch}-`);

/** The registry that all rows share. */
let registry;
function openRegistry() {
  registry ??= startRegistry();
  return registry;
}

export async function closeRegistry() {
  await (await registry)?.close();
}

/**
 * Creates a row that installs the package in an empty project, and runs it.
 *
 * @param {string} project the project whose dependency is the package manager
 * @param {string} install the command that installs the dependencies
 * @param {string} command the command that runs the project
 * @param {object} [options]
 * @param {number} [options.addons] the number of packages with addons that the installation downloads
 */
function managerRow(project, mode, install, command, { binding = "native", major, quick = false, addons: count = 1 } = {}) {
  return {
    project,
    mode,
    binding,
    quick,
    async run(env) {
      const folder = mkdtempSync(join(tmpdir(), "orgo-installed-"));
      const { url, version, downloads } = await openRegistry();
      const before = downloads.length;
      try {
        const dependencies = { "orgo-sdk": version };
        write(
          { folder },
          {
            ...programs,
            "package.json": JSON.stringify({ name: "project", private: true, dependencies }),
            ".npmrc": `registry=${url}\n`,
            ".yarnrc.yml": `npmRegistryServer: "${url}"\nunsafeHttpWhitelist: ["127.0.0.1"]\n`,
          },
        );
        const cache = join(folder, ".cache");
        const variables = {
          ...env,
          HOME: cache,
          npm_config_cache: cache,
          npm_config_store_dir: cache,
          YARN_ENABLE_GLOBAL_CACHE: "0",
          YARN_ENABLE_TELEMETRY: "0",
          YARN_ENABLE_IMMUTABLE_INSTALLS: "0",
          BUN_INSTALL_CACHE_DIR: cache,
          NPM_CONFIG_REGISTRY: url,
        };
        const options = { env: variables, major, tools: open(project).folder };
        await runIn(folder, install, options);
        const addons = downloads.slice(before).filter((name) => name !== `orgo-sdk-${version}.tgz`);
        assert.equal(addons.length, count, addons.join(" "));
        for (const name of addons) assert.match(name, PLATFORM);
        return await runIn(folder, command, options);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

const NODE = { major: 24 };

export const managers = () => [
  managerRow("manager-npm", "install", "npm install --no-audit --no-fund", "node main.mjs", { ...NODE, quick: true }),
  managerRow("manager-npm", "install --omit=optional", "npm install --no-audit --no-fund --omit=optional", "node main.mjs", {
    ...NODE,
    binding: "wasm",
    addons: 0,
  }),
  managerRow("manager-pnpm", "install, ES module", "pnpm install", "node main.mjs", { ...NODE, quick: true }),
  managerRow("manager-pnpm", "install, CommonJS", "pnpm install", "node main.cjs", NODE),
  managerRow("manager-pnpm-10", "install", "pnpm install", "node main.mjs", NODE),
  managerRow("manager-yarn", "Plug'n'Play, ES module", "yarn install", "yarn node main.mjs", { ...NODE, quick: true }),
  managerRow("manager-yarn", "Plug'n'Play, CommonJS", "yarn install", "yarn node main.cjs", NODE),
  managerRow("runtime-bun", "bun install", "bun install", "bun main.mjs"),
  // Deno does not compare the C library, so it downloads both packages of Linux.
  managerRow("runtime-deno", "deno install", "deno install", "deno run -A main.mjs", { addons: 2 }),
];
