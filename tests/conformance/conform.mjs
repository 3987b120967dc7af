// Carries out the checks and says which of them a server does not meet.
import { checks } from "./checks/index.mjs";
import { Wire } from "./wire.mjs";

/**
 * A server, and what of its account only its owner can say: the names of two RTMP connections, of which one leads to a
 * receiver and one to nobody.
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
 * Holds a server to every check, in a workspace that is made and removed.
 *
 * @param {Server} server
 * @returns how many checks are met, a row for each that is not, and the calls that were made
 */
export async function differences(server) {
  const wire = new Wire(server);
  const { connection, deadConnection } = server;
  const state = { name: `conformance-${Date.now()}`, connection, deadConnection };
  const rows = [];
  for (const { name, source, needs, run } of checks) {
    try {
      if (needs && state[needs] === undefined) throw new Error(`not checked: the server's owner names no ${needs}`);
      await run(wire, state);
    } catch (error) {
      rows.push({ check: name, source, difference: brief(error.message) });
    }
  }
  return { met: checks.length - rows.length, rows, called: wire.called };
}

/** An assertion's message on one line. */
function brief(message) {
  return message
    .replaceAll(/\s+/g, " ")
    .replace(/^Expected values to be [^:]*: /, "")
    .slice(0, 160);
}
