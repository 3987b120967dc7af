// Decodes the PNG images of screenshots (8 bits per channel, RGB or RGBA, not interlaced), and encodes small PNG images.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
const CHANNELS = { 2: 3, 6: 4 };

/**
 * @param {Uint8Array} bytes
 * @returns {{ width: number, height: number, pixel(x: number, y: number): number[] }} the image; a pixel is an array of
 *   red, green and blue, from 0 to 255
 */
export function decodePng(bytes) {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!file.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw new Error("not a PNG image");
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
      if (x < 0 || y < 0 || x >= width || y >= height) throw new RangeError(`(${x}, ${y}) is outside the image`);
      const at = y * stride + x * channels;
      return [...rows.subarray(at, at + 3)];
    },
  };
}

/**
 * Encodes an image as a small PNG with at most 256 colors.
 *
 * @param {ReturnType<typeof decodePng>} image
 * @returns {Buffer}
 */
export function encodeSmallPng({ width, height, pixel }) {
  const colors = Array.from({ length: width * height }, (_, at) => {
    const [red, green, blue] = pixel(at % width, Math.floor(at / width));
    return (red << 16) | (green << 8) | blue;
  });
  const groups = medianCut(colors, 256);
  const indexes = new Map(groups.flatMap((group, index) => group.map(({ color }) => [color, index])));
  const rows = Buffer.alloc((width + 1) * height);
  colors.forEach((color, at) => {
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = indexes.get(color);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(groups.flatMap((group) => [0, 1, 2].map((channel) => mean(group, channel))));
  const data = deflateSync(rows, { level: 9, memLevel: 9 });
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", data),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Heckbert's median cut: repeatedly halves the group with the largest spread, weighted by its number of pixels. */
function medianCut(colors, maxGroups) {
  const counts = new Map();
  for (const color of colors) counts.set(color, (counts.get(color) ?? 0) + 1);
  const measured = (group) => {
    const spreads = [0, 1, 2].map((channel) => {
      const values = group.map((entry) => part(entry, channel));
      return values.reduce((one, other) => Math.max(one, other)) - values.reduce((one, other) => Math.min(one, other));
    });
    const spread = Math.max(...spreads);
    const total = group.reduce((sum, { count }) => sum + count, 0);
    return { group, total, channel: spreads.indexOf(spread), weight: spread * Math.sqrt(total) };
  };
  const groups = [measured([...counts].map(([color, count]) => ({ color, count })))];
  while (groups.length < maxGroups) {
    const widest = groups.reduce((one, other) => (other.weight > one.weight ? other : one));
    if (widest.weight === 0) break;
    const { group, total, channel } = widest;
    group.sort((one, other) => part(one, channel) - part(other, channel));
    let [at, sum] = [1, group[0].count];
    while (at < group.length - 1 && sum < total / 2) sum += group[at++].count;
    groups.splice(groups.indexOf(widest), 1, measured(group.slice(0, at)), measured(group.slice(at)));
  }
  return groups.map(({ group }) => group);
}

function part({ color }, channel) {
  return (color >> (16 - 8 * channel)) & 255;
}

function mean(group, channel) {
  const total = group.reduce((sum, { count }) => sum + count, 0);
  return Math.round(group.reduce((sum, entry) => sum + part(entry, channel) * entry.count, 0) / total);
}

function chunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  ends.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
}

function readHeader(body) {
  const [depth, color, , , interlaced] = body.subarray(8);
  const channels = CHANNELS[color];
  if (depth !== 8 || channels === undefined || interlaced) {
    throw new Error(`unsupported PNG: depth ${depth}, color type ${color}, interlacing ${interlaced}`);
  }
  return { width: body.readUInt32BE(0), height: body.readUInt32BE(4), channels };
}

/** Reverses the filters of all rows. A filter stores differences from predictions, which neighboring pixels determine. */
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
      rows[to + x] = stored[from + x] + predict(filter, left, above, corner);
    }
  }
  return rows;
}

function predict(filter, left, above, corner) {
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
      throw new Error(`unknown filter of a row: ${filter}`);
  }
}
