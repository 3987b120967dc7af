// Carries out the checks and says which of them a server does not meet.
import { checks } from "./checks.mjs";
import { Wire } from "./wire.mjs";

/**
 * @param {{ baseUrl: string, realtimeUrl: string, apiKey: string }} options
 * @returns {Promise<{ check: string, source: string, difference: string }[]>} one row for each check that failed
 */
export async function differences(options) {
  const wire = new Wire(options);
  const state = { name: `conformance-${Date.now()}` };
  const rows = [];
  for (const { name, source, run } of checks) {
    try {
      await run(wire, state);
    } catch (error) {
      rows.push({ check: name, source, difference: brief(error.message) });
    }
  }
  return rows;
}

/** An assertion's message on one line. */
function brief(message) {
  return message.replaceAll(/\s+/g, " ").replace(/^Expected values to be [^:]*: /, "").slice(0, 160);
}

export const count = checks.length;
