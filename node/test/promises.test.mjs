// Tests the script that creates and settles the promises of the addon.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";

const start = () => runInThisContext(readFileSync(new URL("../src/promises.js", import.meta.url), "utf8"));
const [VALUE, JSON_TEXT, ERROR, ADDED] = [0, 1, 2, 3];
const SINGLE = -1;

test("one call settles promises with values, JSON text and objects, in any order", async () => {
  const { create, addForm, settle } = start();
  addForm((content) => ({ type: "output", data: content }));
  const promises = [0, 1, 2, 3].map(create);
  settle(
    ...[2, 2, ADDED, "a", JSON_TEXT, '{"type":"exit"}'],
    ...[0, SINGLE, VALUE, true],
    ...[3, 0],
    ...[1, SINGLE, JSON_TEXT, '{"ok":true}'],
  );
  assert.deepEqual(await Promise.all(promises), [true, { ok: true }, [{ type: "output", data: "a" }, { type: "exit" }], []]);
});

test("a value that cannot be made rejects only its promise", async () => {
  const { create, settle } = start();
  const promises = [0, 1, 2, 3].map(create);
  settle(
    ...[0, 3, VALUE, 1, JSON_TEXT, "{", VALUE, 2],
    ...[1, SINGLE, ERROR, new RangeError("too long")],
    ...[2, SINGLE, JSON_TEXT, "?"],
    ...[3, SINGLE, VALUE, "unaffected"],
  );
  const [list, error, text, other] = await Promise.allSettled(promises);
  assert.ok(list.reason instanceof SyntaxError && text.reason instanceof SyntaxError);
  assert.deepEqual([error.reason.message, other.value], ["too long", "unaffected"]);
});

test("a number is used again after its promise is settled", async () => {
  const { create, settle } = start();
  const first = create(0);
  settle(0, SINGLE, VALUE, "first");
  const second = create(0);
  settle(0, SINGLE, VALUE, "second");
  assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
});
