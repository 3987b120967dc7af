import assert from "node:assert/strict";
import { hasFields, imageInfo, ok, TIME } from "../expect.mjs";

const take = (wire, computer, query = "") => wire.call("GET", `/computers/${computer.id}/screenshot${query}`);

/** Returns the format and size of the image in a response. The response must contain base64, not a link. */
const embedded = ({ image }) => imageInfo(Buffer.from(image.replace(/^data:[^,]*,/, ""), "base64"));

const screen = { format: "png", width: 1280, height: 720 };

export const screenshots = [
  {
    name: "a screenshot is a PNG in base64",
    source: "SEED",
    run: async (wire, { computer }) => assert.deepEqual(embedded(ok(await take(wire, computer))), screen),
  },
  {
    name: "response_format=base64 returns the image with its size and MIME type",
    source: "PY",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=base64&format=png"));
      assert.deepEqual(embedded(body), screen);
      assert.deepEqual([body.success, body.mime_type, body.width, body.height], [true, "image/png", 1280, 720]);
    },
  },
  {
    name: "format=jpeg returns a JPEG",
    source: "PY, BOPS",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=base64&format=jpeg"));
      assert.deepEqual([embedded(body).format, body.mime_type], ["jpeg", "image/jpeg"]);
    },
  },
  {
    name: "scale=0.5 halves the width and height",
    source: "PY, BOPS",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=base64&format=png&scale=0.5"));
      assert.deepEqual(embedded(body), { format: "png", width: 640, height: 360 });
    },
  },
  {
    name: "response_format=url returns a path that needs the key",
    source: "G3, PY, BOPS",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=url&format=png"));
      hasFields(body.metadata, { id: "string", timestamp: TIME, size: "number", storage_path: "string" });
      const { status, bytes } = await wire.fetch(body.image, { bearer: wire.key });
      assert.deepEqual([status, bytes.length, imageInfo(bytes)], [200, body.metadata.size, screen]);
    },
  },
  {
    name: "response_format=binary returns the bytes of the image",
    source: "BOPS",
    async run(wire, { computer }) {
      const path = `api/computers/${computer.id}/screenshot?response_format=binary&format=png`;
      const { status, type, bytes } = await wire.fetch(`/${path}`, { bearer: wire.key });
      assert.deepEqual([status, type, imageInfo(bytes)], [200, "image/png", screen]);
    },
  },
  {
    name: "the computer's own address returns a screenshot for its password",
    source: "MCP",
    async run(wire, { computer, password }) {
      const { status, bytes } = await wire.fetch(`${computer.url}/screenshot`, { bearer: password });
      assert.equal(status, 200);
      assert.deepEqual(embedded(JSON.parse(bytes)), screen);
    },
  },
];
