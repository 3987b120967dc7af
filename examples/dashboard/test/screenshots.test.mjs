import assert from "node:assert/strict";
import { test } from "node:test";
import { Screenshots } from "../server/screenshots.mjs";

/** A service that answers when the test says so, and counts how many pictures are on their way at once. */
function service() {
  const asked = [];
  let open = 0;
  const take = (name) => () =>
    new Promise((resolve, reject) => {
      open += 1;
      assert.equal(open, 1, "two screenshots at once");
      const end = (settle) => (value) => {
        open -= 1;
        settle(value);
      };
      asked.push({ name, answer: end(resolve), fail: end(reject) });
    });
  return { asked, take };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const picture = (text) => ({ data: Buffer.from(text), mime_type: "image/png", width: 1, height: 1 });

test("who asks for the same kind gets the one that is on its way; another kind waits for it", async () => {
  const screenshots = new Screenshots();
  const { asked, take } = service();
  const one = screenshots.take("c", "small", take("small"));
  const same = screenshots.take("c", "small", take("never"));
  const other = screenshots.take("c", "large", take("large"));
  await turn();
  assert.deepEqual(
    asked.map(({ name }) => name),
    ["small"],
  );
  asked[0].answer(picture("a"));
  assert.equal(await one, await same);
  await turn();
  assert.deepEqual(
    asked.map(({ name }) => name),
    ["small", "large"],
  );
  asked[1].answer(picture("b"));
  assert.notEqual((await one).tag, (await other).tag);
});

test("a failure ends with those who asked, and equal pictures have one tag", async () => {
  const screenshots = new Screenshots();
  const { asked, take } = service();
  const failing = screenshots.take("c", "k", take("first"));
  const behind = screenshots.take("c", "l", take("second"));
  await turn();
  asked[0].fail(new Error("no"));
  await assert.rejects(failing, /no/);
  await turn();
  asked[1].answer(picture("a"));
  const { tag } = await behind;
  const again = screenshots.take("c", "l", take("third"));
  await turn();
  asked[2].answer(picture("a"));
  assert.equal((await again).tag, tag);
});
