// Runs the checks and lists the differences between a server and the protocol.
import { checks } from "./checks/index.mjs";
import { Wire } from "./wire.mjs";

/**
 * A server, and the names of two RTMP connections of the account: `connection` has a receiver, and `deadConnection` does
 * not.
 *
 * @typedef {object} Server
 * @property {string} baseUrl
 * @property {string} apiKey
 * @property {string} realtimeUrl
 * @property {string} olderRealtimeUrl
 * @property {string} [connection]
 * @property {string} [deadConnection]
 */

/**
 * Runs all checks against a server, in a new workspace that the last check deletes.
 *
 * @param {Server} server
 * @returns the number of passed checks, a table row for each failed check, and the set of calls that were made
 */
export async function differences(server) {
  const wire = new Wire(server);
  const { connection, deadConnection } = server;
  const state = { name: `conformance-${Date.now()}`, connection, deadConnection };
  const rows = [];
  for (const { name, source, needs, run } of checks) {
    try {
      if (needs && state[needs] === undefined) throw new Error(`not checked: the setting ${needs} is missing`);
      await run(wire, state);
    } catch (error) {
      rows.push({ check: name, source, difference: shorten(error.message) });
    }
  }
  return { passed: checks.length - rows.length, rows, called: wire.called };
}

/** Returns the message of an assertion on one line. */
function shorten(message) {
  return message
    .replaceAll(/\s+/g, " ")
    .replace(/^Expected values to be [^:]*: /, "")
    .slice(0, 160);
}
