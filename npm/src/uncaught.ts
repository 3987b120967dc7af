/** Calls a function of the caller's. What it throws is reported as uncaught, and ends nothing here. */
export function callOut(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
