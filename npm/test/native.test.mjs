import assert from "node:assert/strict";
import test from "node:test";
import { source } from "./support/source.mjs";

const { BindingError, loadNative, localTarget, packageName, TARGETS } = source;
const VERSION = "0.1.0";
const TARGET = TARGETS.find(({ name }) => name === "linux-x64-musl");
const LOCAL = "./native/orgo.linux-x64-musl.node";
const PACKAGE = "orgo-sdk-linux-x64-musl";
const SIBLING = "/modules/orgo-sdk-linux-x64-musl/orgo.linux-x64-musl.node";

const addon = (version = VERSION) => ({ version: () => version });
const missing = (path) => Object.assign(new Error(`Cannot find module '${path}'\nRequire stack`), { code: "MODULE_NOT_FOUND" });

/** Loads an addon from modules that are values or errors. Returns the paths that were tried, and the result or the error. */
function load(modules, { target = TARGET, sibling = () => SIBLING } = {}) {
  const tried = [];
  const require = (path) => {
    tried.push(path);
    const found = modules[path] ?? missing(path);
    if (found instanceof Error) throw found;
    return found;
  };
  try {
    return { tried, binding: loadNative({ require, sibling }, target) };
  } catch (error) {
    assert.ok(error instanceof BindingError);
    return { tried, message: error.message };
  }
}

test("only files of this platform are tried: the local build, the package, and the package next to the SDK", () => {
  assert.deepEqual(load({}).tried, [LOCAL, PACKAGE, SIBLING]);
  for (const path of [LOCAL, PACKAGE, SIBLING]) {
    const found = addon();
    assert.equal(load({ [path]: found }).binding, found);
  }
});

test("if the package of the platform is not installed, the error names it and the command that installs it", () => {
  assert.match(
    load({}).message,
    /the package orgo-sdk-linux-x64-musl is not installed.*`npm install orgo-sdk-linux-x64-musl@0\.1\.0`/,
  );
  assert.equal(load({}, { sibling: () => undefined }).message, load({}).message);
});

test("if an addon cannot be loaded, the error contains the message of the system", () => {
  const { message } = load({ [PACKAGE]: new Error("libc.so.6: version `GLIBC_2.34' not found\nmore") });
  assert.match(message, /no native addon can be loaded: libc\.so\.6: version `GLIBC_2\.34' not found$/);
});

test("an addon that fails does not hide one that works", () => {
  const found = addon();
  assert.equal(load({ [LOCAL]: new Error("invalid ELF header"), [PACKAGE]: found }).binding, found);
});

test("an addon of another version is refused", () => {
  const { message } = load({ [PACKAGE]: addon("0.0.9") });
  assert.match(
    message,
    /orgo-sdk-linux-x64-musl has the version 0\.0\.9, but orgo-sdk 0\.1\.0: install orgo-sdk-linux-x64-musl@0\.1\.0/,
  );
});

test("a platform without an addon is named", () => {
  const require = () => assert.fail("nothing is loaded");
  const reason = `no native addon can be loaded: there is none for ${process.platform} ${process.arch}`;
  assert.throws(() => loadNative({ require, sibling: require }, undefined), { name: "BindingError", message: reason });
});

test("this process has a target if its platform is in the list", () => {
  const target = localTarget();
  if (process.platform !== "linux" || process.arch !== "x64") return;
  assert.match(packageName(target), /^orgo-sdk-linux-x64-(gnu|musl)$/);
  const { glibcVersionRuntime } = process.report.getReport().header;
  assert.equal(target.libc, glibcVersionRuntime ? "glibc" : "musl");
});

test("the C library is known without a report, which takes a few milliseconds, if the program can be read", (t) => {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  const libc = process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl";
  const report = t.mock.method(process.report, "getReport");
  const readable = process.getBuiltinModule !== undefined;
  assert.equal(localTarget().libc, libc);
  assert.equal(report.mock.callCount(), readable ? 0 : 1);
  const { getBuiltinModule } = process;
  process.getBuiltinModule = () => ({ openSync: () => assert.fail("no permission") });
  t.after(() => (process.getBuiltinModule = getBuiltinModule));
  assert.equal(localTarget().libc, libc);
  assert.equal(report.mock.callCount(), readable ? 1 : 2);
});
