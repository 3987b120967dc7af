// Tests that code which the package loads on demand and cannot read, for example because too many files are open, is a typed error.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const PACKAGE = fileURLToPath(new URL("../../npm", import.meta.url));

/** Copies the package without the code that it loads on demand. */
function incompletePackage(context) {
  const folder = mkdtempSync(join(tmpdir(), "orgo-incomplete-"));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const name of ["package.json", "dist"]) cpSync(join(PACKAGE, name), join(folder, name), { recursive: true });
  for (const name of ["classes", "node-screen", "upload"]) {
    for (const format of ["js", "cjs"]) rmSync(join(folder, "dist", `${name}.${format}`));
  }
  return join(folder, "dist");
}

const loaders = {
  "an ES module": (dist) => import(pathToFileURL(join(dist, "node.js"))),
  "a CommonJS module": (dist) => createRequire(import.meta.url)(join(dist, "node.cjs")),
};

for (const [format, load] of Object.entries(loaders)) {
  test(`code of ${format} that cannot be loaded is an error with its cause`, async (context) => {
    const { Orgo, BindingError } = await load(incompletePackage(context));
    const computer = new Orgo({ apiKey: "sk_fault", baseUrl: "http://127.0.0.1:1/api" }).computer("c");
    const calls = {
      channels: () => computer.terminal(),
      screens: () => computer.screen(),
      uploads: () => computer.files.upload(new Uint8Array(1), { name: "f" }),
    };
    for (const [part, call] of Object.entries(calls)) {
      await assert.rejects(call(), (error) => {
        assert.ok(error instanceof BindingError, error.stack);
        assert.equal(error.delivered, "no");
        assert.match(error.message, new RegExp(`^the code of ${part} cannot be loaded: `));
        assert.match(error.cause.code, /MODULE_NOT_FOUND$/);
        return true;
      });
    }
  });
}
