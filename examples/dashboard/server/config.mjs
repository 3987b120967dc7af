/** The port to try first if `PORT` is not set. */
const DEFAULT_PORT = 4400;

/**
 * @typedef {object} Config
 * @property {number[]} ports the ports to try, in this order; 0 means any free port
 * @property {string} service the host name of the service, for display
 * @property {boolean} local whether the service is a local desktop, on which the server creates a first computer
 * @property {boolean} exitOnStdinEnd whether to exit when stdin closes
 * @property {string[]} sockets the origins of the computers' channels, for the page's Content-Security-Policy
 */

/**
 * Reads the settings of the dashboard. The SDK itself reads `ORGO_API_KEY`, `ORGO_BASE_URL` and `ORGO_REALTIME_URL`. This
 * function uses the URLs only to find the origins that the page may connect to.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Config}
 * @throws {Error} if a setting is missing or invalid
 */
export function readConfig(environment) {
  if (!environment.ORGO_API_KEY) throw new Error("ORGO_API_KEY is not set: set it to the API key of your account");
  const base = url("ORGO_BASE_URL", environment.ORGO_BASE_URL || "https://www.orgo.ai/api");
  return {
    ports: ports(environment.PORT),
    service: base.host,
    local: environment.ORGO_DASHBOARD_FIRST_COMPUTER === "1",
    exitOnStdinEnd: environment.ORGO_DASHBOARD_END_WITH_STDIN === "1",
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
  if (!URL.canParse(text)) throw new Error(`${name} must be a valid URL`);
  return new URL(text);
}

/** Returns the origin of a URL template. If the first label of the host is a placeholder, replaces it with `*`. */
function templateOrigin(template) {
  const { protocol, host } = url("ORGO_REALTIME_URL", template.replace(/(?<=:\/\/)\{\w+\}(?=\.)/, "placeholder"));
  return `${protocol}//${host.replace(/^placeholder(?=\.)/, "*")}`;
}

/** Returns the origins of the channels if no template is set: the host of the API, or a separate host for each computer. */
function serviceOrigins(base) {
  const scheme = base.protocol === "http:" ? "ws:" : "wss:";
  return [`${scheme}//${base.host}`, "wss://*.orgo.dev"];
}
