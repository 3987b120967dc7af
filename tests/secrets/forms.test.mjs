// Tests the search for secrets. A broken search would let all other tests pass.
import assert from "node:assert/strict";
import test from "node:test";
import { escaped, findSecrets, SECRETS } from "./forms.mjs";
import { allTexts, texts } from "./provoke.mjs";

test("a secret is found in every form", () => {
  for (const [name, secret] of Object.entries(SECRETS)) {
    for (const form of escaped(secret)) assert.match(findSecrets(`text ${form} text`).join(), new RegExp(name));
    for (const before of ["", "a", "ab", "user:"]) {
      const text = Buffer.from(`${before}${secret}!`).toString("base64");
      assert.match(findSecrets(text).join(), new RegExp(name), `${before} and ${secret} in base64`);
    }
    const nested = JSON.stringify({ text: JSON.stringify({ secret }) });
    assert.match(findSecrets(nested).join(), new RegExp(name), nested);
  }
  assert.deepEqual(findSecrets("*** sk_live_ p@ss w h3ad3r"), []);
});

test("the search includes every part of a value", () => {
  const hidden = Object.defineProperty({}, "field", { value: SECRETS.password, enumerable: false });
  const error = new Error("no", { cause: { deep: [{ deeper: hidden }] } });
  const connection = { sdk: { Connection: class {} } };
  for (const value of [error, { [SECRETS.password]: 1 }, [[SECRETS.password]], { toJSON: () => SECRETS.password }]) {
    assert.notDeepEqual(findSecrets(allTexts(connection, value).join("\n")), []);
  }
  const getter = Object.defineProperty({}, "password", { get: () => SECRETS.password, enumerable: false });
  assert.deepEqual(findSecrets(texts(getter).join("\n")), []);
});
