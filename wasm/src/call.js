/**
 * Passes the outcome of a call to its function. `bytes` are in the memory of the module, so they are copied.
 *
 * @param {(error: undefined, outcome: unknown, stream?: unknown) => void} settle
 * @param {string} outcome JSON
 * @param {Uint8Array | undefined} bytes
 * @param {unknown} stream the response, if it is streamed
 */
export function settle(settle, outcome, bytes, stream) {
  const value = JSON.parse(outcome);
  try {
    if (bytes !== undefined) value.bytes = bytes.slice();
  } catch (error) {
    // There is no memory left.
    settle(error);
    return;
  }
  settle(undefined, value, stream);
}
