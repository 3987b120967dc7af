import assert from "node:assert/strict";
import { test } from "node:test";
import { Screenshots } from "../server/screenshots.mjs";

/** Returns a fake service. The test settles its calls. A call fails if it overlaps with another call. */
function service() {
  const requests = [];
  let open = 0;
  const take = (name) => () =>
    new Promise((resolve, reject) => {
      open += 1;
      assert.equal(open, 1, "two screenshots at once");
      const settleWith = (settle) => (value) => {
        open -= 1;
        settle(value);
      };
      requests.push({ name, respond: settleWith(resolve), fail: settleWith(reject) });
    });
  return { requests, take };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const screenshot = (text) => ({ data: Buffer.from(text), mime_type: "image/png", width: 1, height: 1 });

test("concurrent requests with the same options share one call; other options wait for it", async () => {
  const screenshots = new Screenshots();
  const { requests, take } = service();
  const one = screenshots.take("c", "small", take("small"));
  const same = screenshots.take("c", "small", take("never"));
  const other = screenshots.take("c", "large", take("large"));
  await turn();
  assert.deepEqual(
    requests.map(({ name }) => name),
    ["small"],
  );
  requests[0].respond(screenshot("a"));
  assert.equal(await one, await same);
  await turn();
  assert.deepEqual(
    requests.map(({ name }) => name),
    ["small", "large"],
  );
  requests[1].respond(screenshot("b"));
  assert.notEqual((await one).etag, (await other).etag);
});

test("a failure affects only its own requests, and equal images have the same ETag", async () => {
  const screenshots = new Screenshots();
  const { requests, take } = service();
  const failing = screenshots.take("c", "k", take("first"));
  const behind = screenshots.take("c", "l", take("second"));
  await turn();
  requests[0].fail(new Error("no"));
  await assert.rejects(failing, /no/);
  await turn();
  requests[1].respond(screenshot("a"));
  const { etag } = await behind;
  const again = screenshots.take("c", "l", take("third"));
  await turn();
  requests[2].respond(screenshot("a"));
  assert.equal((await again).etag, etag);
});
