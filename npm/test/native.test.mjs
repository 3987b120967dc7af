import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { BindingError, loadNative } = source;

test("the addon of this platform is the binding", () => {
  const addon = { kind: () => "native" };
  const tried = [];
  const loaded = loadNative((path) => {
    tried.push(path);
    if (tried.length === 1 && process.platform === "linux") throw new Error("for another C library\nand more");
    return addon;
  });
  assert.equal(loaded, addon);
  for (const path of tried) assert.ok(path.startsWith(`./native/orgo.${process.platform}-${process.arch}`), path);
});

test("if no addon can be loaded, the error contains the reasons", () => {
  const load = () =>
    loadNative(() => {
      throw new Error("no such file\nand more");
    });
  assert.throws(
    load,
    (error) => error instanceof BindingError && /no native addon can be loaded: .*no such file/.test(error.message),
  );
});
