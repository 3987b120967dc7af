// Content that is in memory. A page loads the rest of the code of uploads with its first upload.

/**
 * Copies the bytes of a buffer or a view of any realm. Returns `undefined` for any other value, and for a buffer that was
 * transferred to another thread.
 */
export function copyBytes(value: unknown): Uint8Array | undefined {
  try {
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
    return isBuffer(value) ? new Uint8Array(value).slice() : undefined;
  } catch {
    return undefined;
  }
}

/** Returns whether a value is a buffer of any realm: only then, the getters of this realm accept it. */
function isBuffer(value: unknown): value is ArrayBuffer {
  const classes = typeof SharedArrayBuffer === "undefined" ? [ArrayBuffer] : [ArrayBuffer, SharedArrayBuffer];
  return classes.some(({ prototype }) => {
    try {
      Reflect.get(prototype, "byteLength", value);
      return true;
    } catch {
      return false;
    }
  });
}
