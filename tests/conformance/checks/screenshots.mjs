import assert from "node:assert/strict";
import { hasFields, ok, picture, TIME } from "../expect.mjs";

const take = (wire, computer, query = "") => wire.call("GET", `/computers/${computer.id}/screenshot${query}`);

/** The picture in an answer, which must not be a link. */
const inside = ({ image }) => picture(Buffer.from(image.replace(/^data:[^,]*,/, ""), "base64"));

const screen = { kind: "png", width: 1280, height: 720 };

export const screenshots = [
  {
    name: "a screenshot is a PNG in base64",
    source: "SEED",
    run: async (wire, { computer }) => assert.deepEqual(inside(ok(await take(wire, computer))), screen),
  },
  {
    name: "response_format=base64 gives the picture with its size and kind",
    source: "PY",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=base64&format=png"));
      assert.deepEqual(inside(body), screen);
      assert.deepEqual([body.success, body.mime_type, body.width, body.height], [true, "image/png", 1280, 720]);
    },
  },
  {
    name: "format=jpeg gives a JPEG",
    source: "PY, BOPS",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=base64&format=jpeg"));
      assert.deepEqual([inside(body).kind, body.mime_type], ["jpeg", "image/jpeg"]);
    },
  },
  {
    name: "scale=0.5 gives half of each side",
    source: "PY, BOPS",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=base64&format=png&scale=0.5"));
      assert.deepEqual(inside(body), { kind: "png", width: 640, height: 360 });
    },
  },
  {
    name: "response_format=url gives a path that the key opens",
    source: "G3, PY, BOPS",
    async run(wire, { computer }) {
      const body = ok(await take(wire, computer, "?response_format=url&format=png"));
      hasFields(body.metadata, { id: "string", timestamp: TIME, size: "number", storage_path: "string" });
      const { status, bytes } = await wire.fetch(body.image, { bearer: wire.key });
      assert.deepEqual([status, bytes.length, picture(bytes)], [200, body.metadata.size, screen]);
    },
  },
  {
    name: "response_format=binary gives the picture itself",
    source: "BOPS",
    async run(wire, { computer }) {
      const path = `api/computers/${computer.id}/screenshot?response_format=binary&format=png`;
      const { status, type, bytes } = await wire.fetch(`/${path}`, { bearer: wire.key });
      assert.deepEqual([status, type, picture(bytes)], [200, "image/png", screen]);
    },
  },
  {
    name: "the computer's own address gives its screen for its password",
    source: "MCP",
    async run(wire, { computer, password }) {
      const { status, bytes } = await wire.fetch(`${computer.url}/screenshot`, { bearer: password });
      assert.equal(status, 200);
      assert.deepEqual(inside(JSON.parse(bytes)), screen);
    },
  },
];
