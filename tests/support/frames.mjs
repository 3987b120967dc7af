// Reads the WebSocket messages of a client in the bytes of its connection.

/**
 * Returns a function that receives the bytes of a connection, from its first byte on, and calls `onMessage` with the payload of each
 * binary message. Connections of other protocols have no messages.
 *
 * @param {(payload: Buffer) => void} onMessage
 * @returns {(bytes: Buffer) => void}
 */
export function binaryMessages(onMessage) {
  let pending = Buffer.alloc(0);
  let upgraded;
  return (bytes) => {
    if (upgraded === false) return;
    pending = Buffer.concat([pending, bytes]);
    if (upgraded === undefined) {
      const end = pending.indexOf("\r\n\r\n");
      if (end < 0) return;
      upgraded = /^upgrade: *websocket/im.test(pending.toString("latin1", 0, end));
      pending = pending.subarray(end + 4);
    }
    for (let frame = readFrame(pending); upgraded && frame !== undefined; frame = readFrame(pending)) {
      pending = pending.subarray(frame.end);
      if (frame.opcode === BINARY) onMessage(frame.payload);
    }
  };
}

const BINARY = 2;

/** Reads a frame of a client, which has a mask (RFC 6455 section 5.2). Returns `undefined` if it is incomplete. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const start = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < start + 4) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  const end = start + 4 + length;
  if (bytes.length < end) return undefined;
  const mask = bytes.subarray(start, start + 4);
  const payload = Buffer.from(bytes.subarray(start + 4, end).map((byte, at) => byte ^ mask[at % 4]));
  return { opcode: bytes[0] & 0x0f, payload, end };
}
