// A minimal HTTP/1.1 parser and writer for a server that causes faults.

/**
 * Parses the request at the start of `bytes`. Returns `undefined` until the first line is complete. `rest` contains the
 * bytes after the request once the request is complete.
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
  const total = end + 4 + Number(length?.[1] ?? 0);
  return bytes.length < total ? { method, path } : { method, path, rest: bytes.subarray(total) };
}

/** Returns the head of a response. Omits fields with the value `undefined`. */
export function head(status, fields) {
  const defined = Object.entries(fields).filter(([, value]) => value !== undefined);
  const lines = defined.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Fault\r\n${lines.join("")}\r\n`;
}
