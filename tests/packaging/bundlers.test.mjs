// Tests the packed package in pages that common bundlers build.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import * as vite from "vite";
import webpack from "webpack";
import { startAudioServer } from "../support/audio-server.mjs";
import { startChromium } from "../support/chromium.mjs";
import { startPages } from "../support/pages.mjs";
import { createProject } from "./project.mjs";

const PAGE = `<!doctype html>
<title>Page</title>
<link rel="icon" href="data:,">
<script type="module" src="./main.js"></script>
`;
const MAIN = `
  import { Orgo } from "orgo-sdk";
  globalThis.info = () => Orgo.bindingInfo();
  globalThis.withKey = () => new Orgo({ apiKey: "sk_live_x" });

  globalThis.violations = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    violations.push(effectiveDirective + " " + blockedURI);
  });

  globalThis.listen = async (url) => {
    const audio = await Orgo.connect({ version: 1, computer_id: "c", password: "p", realtime_url: url }).audio();
    const player = await audio.play();
    const analyser = new AnalyserNode(player.node.context);
    player.node.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const loudness = () => {
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    };
    while (loudness() < 0.3) await new Promise((resolve) => setTimeout(resolve, 20));
    await audio.close();
    return player.transport;
  };
`;

/** For each bundler, a function that builds the page of a project into a folder, with common settings. */
const BUNDLERS = {
  async vite({ folder }, outDir) {
    await vite.build({ root: folder, logLevel: "warn", build: { outDir } });
  },
  async webpack({ folder }, path) {
    const settings = { mode: "production", context: folder, entry: "./main.js", output: { path, filename: "main.js" } };
    const stats = await promisify(webpack)(settings);
    assert.ok(!stats.hasErrors(), stats.toString("errors-warnings"));
    cpSync(join(folder, "index.html"), join(path, "index.html"));
  },
  // esbuild does not process URLs of other files, so the files are copied next to the bundle.
  async esbuild({ folder, installed }, outdir) {
    await esbuild.build({ absWorkingDir: folder, entryPoints: ["main.js"], bundle: true, format: "esm", outdir });
    for (const file of ["worklet.js", "worker.js", "wasm/orgo_wasm_bg.wasm"]) {
      cpSync(join(installed, "dist", file), join(outdir, file.split("/").at(-1)));
    }
    cpSync(join(folder, "index.html"), join(outdir, "index.html"));
  },
};

let project, browser, server;
before(async () => {
  project = createProject({ "index.html": PAGE, "main.js": MAIN });
  server = await startAudioServer({ sample: (_, sample) => 16_384 * Math.sin((2 * Math.PI * 440 * sample) / 24_000) });
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  await server?.close();
  project?.remove();
});

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  describe(name, () => {
    const fetched = [];
    let built, pages, page;
    before(async () => {
      built = join(project.folder, "built", name);
      mkdirSync(built, { recursive: true });
      await bundle(project, built);
      pages = await startPages(() => built);
      page = await browser.newPage();
      page.on("request", (request) => fetched.push(request.url()));
      await page.goto(pages.origin, { waitUntil: "networkidle" });
    });
    after(async () => {
      await page?.close();
      await pages?.close();
    });

    test("the output contains one file each for the module, the worklet and the worker", () => {
      const emitted = readdirSync(built, { recursive: true });
      assert.equal(emitted.filter((file) => file.endsWith(".wasm")).length, 1, emitted.join(" "));
      // Webpack uses hashes as file names, so the names cannot be checked.
      if (name === "webpack") return;
      for (const script of [/\bworklet\b.*\.js$/, /\bworker\b.*\.js$/]) {
        assert.equal(emitted.filter((file) => script.test(file)).length, 1, emitted.join(" "));
      }
    });

    test("WebAssembly is loaded on demand, and an API key is refused", async () => {
      assert.deepEqual(
        fetched.filter((url) => /\.wasm/.test(url)),
        [],
      );
      assert.equal((await page.evaluate(() => globalThis.info())).kind, "wasm");
      const refusal = await page.evaluate(() => {
        try {
          return globalThis.withKey();
        } catch ({ name, field }) {
          return { name, field };
        }
      });
      assert.deepEqual(refusal, { name: "InvalidParameterError", field: "apiKey" });
    });

    test("audio plays with the worker under a strict policy", { timeout: 60_000 }, async () => {
      assert.equal(await page.evaluate((url) => globalThis.listen(url), server.url), "port");
      assert.deepEqual(await page.evaluate(() => globalThis.violations), []);
    });
  });
}
