/**
 * Calls a callback of the program. An exception that the callback throws is reported as uncaught and does not affect the caller.
 */
export function runCallback(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
