// HTTP/1.1 as bytes: as much of it as a server needs that goes wrong on purpose.

/**
 * The request at the front of `bytes`: its first line as soon as that is there, and what comes after it once it is whole.
 *
 * @param {Buffer} bytes
 * @returns {{ method: string, path: string, rest?: Buffer } | undefined}
 */
export function parse(bytes) {
  const line = bytes.indexOf("\r\n");
  if (line < 0) return undefined;
  const [method, path] = bytes.subarray(0, line).toString("latin1").split(" ");
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return { method, path };
  const length = /^content-length: *(\d+)/im.exec(bytes.subarray(0, end).toString("latin1"));
  const whole = end + 4 + Number(length?.[1] ?? 0);
  return bytes.length < whole ? { method, path } : { method, path, rest: bytes.subarray(whole) };
}

/** The head of an answer, without the fields that are undefined. */
export function head(status, fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const lines = given.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Fault\r\n${lines.join("")}\r\n`;
}
