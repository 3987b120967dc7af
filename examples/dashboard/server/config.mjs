/** The port that is tried where `PORT` names none. */
const DEFAULT_PORT = 4400;

/**
 * @typedef {object} Config
 * @property {number[]} ports the ports to try, in this order; 0 takes any free one
 * @property {string} service the host of the service, to show
 * @property {boolean} local whether it is a local desktop, where a first computer is made
 * @property {boolean} endsWithInput whether to end when whoever holds the other end of the input has ended
 * @property {string[]} sockets the origins of the computers' channels, for the page's Content-Security-Policy
 */

/**
 * Reads the settings that are the dashboard's own. The SDK reads `ORGO_API_KEY`, `ORGO_BASE_URL` and
 * `ORGO_REALTIME_URL` itself; here they only say what the page may connect to.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Config}
 * @throws {Error} with a message for the user
 */
export function readConfig(environment) {
  if (!environment.ORGO_API_KEY) throw new Error("ORGO_API_KEY is not set: the dashboard needs the key of an account");
  const base = url("ORGO_BASE_URL", environment.ORGO_BASE_URL || "https://www.orgo.ai/api");
  return {
    ports: ports(environment.PORT),
    service: base.host,
    local: environment.ORGO_DASHBOARD_FIRST_COMPUTER === "1",
    endsWithInput: environment.ORGO_DASHBOARD_END_WITH_STDIN === "1",
    sockets: environment.ORGO_REALTIME_URL ? [templateOrigin(environment.ORGO_REALTIME_URL)] : serviceOrigins(base),
  };
}

function ports(text) {
  if (!text) return [DEFAULT_PORT, 0];
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT must be a number from 0 to 65535, not ${text}`);
  return [port];
}

function url(name, text) {
  if (!URL.canParse(text)) throw new Error(`${name} is not a URL`);
  return new URL(text);
}

/** A template may have a place in its host, which a policy writes as a wildcard for the whole label. */
function templateOrigin(template) {
  const { protocol, host } = url("ORGO_REALTIME_URL", template.replace(/(?<=:\/\/)\{\w+\}(?=\.)/, "place-of-an-id"));
  return `${protocol}//${host.replace(/^place-of-an-id(?=\.)/, "*")}`;
}

/** Where the channels may be without a template: at the host of the API, or at a host of the computer's own. */
function serviceOrigins(base) {
  const scheme = base.protocol === "http:" ? "ws:" : "wss:";
  return [`${scheme}//${base.host}`, "wss://*.orgo.dev"];
}
