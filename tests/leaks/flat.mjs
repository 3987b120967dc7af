// Decides whether measurements of memory grow.
import assert from "node:assert/strict";

export const MB = 1 << 20;
/**
 * The maximum variation of a process's memory without a leak, in bytes. A full run detects a leak of 100 bytes per call or
 * 1 kB per channel.
 */
export const NOISE = 6 * MB;

export const mib = (bytes) => `${(bytes / MB).toFixed(2)} MiB`;

/** Checks that memory does not grow. Ignores the first measurements, because pools and caches fill at first. */
export function assertFlat(what, measured, noise) {
  const settled = measured.slice(4);
  const half = settled.length / 2;
  const highest = (values) => Math.max(...values);
  const growth = highest(settled.slice(half)) - highest(settled.slice(0, half));
  console.log(`  ${what}: ${mib(measured[0])} at the start, ${mib(measured.at(-1))} at the end`);
  assert.ok(growth <= noise, `${what}: grew by ${growth} bytes: ${measured}`);
}
