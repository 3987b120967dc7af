// Decodes the PNG pictures that screens are sent as: 8 bits per channel, RGB or RGBA, not interlaced.
import { inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const CHANNELS = { 2: 3, 6: 4 };

/**
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number, pixel(x: number, y: number): number[] }} the picture; a pixel is its red,
 *   green and blue, from 0 to 255
 */
export function decodePng(bytes) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error("this is no PNG picture");
  let header;
  const data = [];
  for (let at = SIGNATURE.length; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") header = readHeader(body);
    if (type === "IDAT") data.push(body);
    at += length + 12;
  }
  const { width, height, channels } = header;
  const stride = width * channels;
  const rows = unfilter(inflateSync(Buffer.concat(data)), stride, height, channels);
  return {
    width,
    height,
    pixel(x, y) {
      if (x < 0 || y < 0 || x >= width || y >= height) throw new RangeError(`(${x}, ${y}) is outside of the picture`);
      const at = y * stride + x * channels;
      return [...rows.subarray(at, at + 3)];
    },
  };
}

function readHeader(body) {
  const [depth, colour, , , interlaced] = body.subarray(8);
  const channels = CHANNELS[colour];
  if (depth !== 8 || channels === undefined || interlaced) {
    throw new Error(`this decoder has no PNG of depth ${depth}, colour type ${colour}, interlacing ${interlaced}`);
  }
  return { width: body.readUInt32BE(0), height: body.readUInt32BE(4), channels };
}

/** Undoes what every row is stored as: the difference to a guess from its neighbours. */
function unfilter(stored, stride, height, channels) {
  const rows = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = stored[y * (stride + 1)];
    const from = y * (stride + 1) + 1;
    const to = y * stride;
    for (let x = 0; x < stride; x += 1) {
      const left = x >= channels ? rows[to + x - channels] : 0;
      const above = y > 0 ? rows[to + x - stride] : 0;
      const corner = x >= channels && y > 0 ? rows[to + x - stride - channels] : 0;
      rows[to + x] = stored[from + x] + guess(filter, left, above, corner);
    }
  }
  return rows;
}

function guess(filter, left, above, corner) {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return above;
    case 3:
      return (left + above) >> 1;
    case 4: {
      const [toLeft, toAbove, toCorner] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs);
      if (toLeft <= toAbove && toLeft <= toCorner) return left;
      return toAbove <= toCorner ? above : corner;
    }
    default:
      throw new Error(`a row has the unknown filter ${filter}`);
  }
}
