/** Calls a function of the user. An exception in it is reported as uncaught and does not affect the caller. */
export function runCallback(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
