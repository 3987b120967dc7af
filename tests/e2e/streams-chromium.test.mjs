// Tests streams in a page with the WebAssembly binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openPage } from "../support/page.mjs";
import { freePort } from "../support/receiver.mjs";
import { streams } from "./streams.mjs";
import { startStreamsServer } from "./streams-server.mjs";

describe("streams in a page", () => {
  let opened, page, server, deadUrl;

  before(async () => {
    server = await startStreamsServer();
    deadUrl = `http://127.0.0.1:${await freePort()}`;
    opened = await openPage(new URL("streams-page", import.meta.url));
    page = opened.page;
  });
  after(async () => {
    await opened?.close();
    await server?.close();
  });

  for (const name of Object.keys(streams)) {
    test(name, { timeout: 120_000 }, () =>
      page.evaluate(([name, urls]) => globalThis.runTest(name, urls), [name, { server: server.url, deadUrl }]),
    );
  }
  test("there are no uncaught errors", () => assert.deepEqual(opened.failures, []));
});
