// Messages about proxies for WebAssembly in Node. There `fetch` sends the requests. It uses the proxies of the environment only
// if an option of Node enables them. The native addon has its own rules (node/src/proxies.rs).

type Environment = Record<string, string | undefined>;

/** A proxy, with a description for error messages that contains no credentials. */
interface NamedProxy {
  name: string;
  /** Whether `fetch` uses it. */
  used: boolean;
}

/** Returns whether this version of Node supports proxy environment variables (`--use-env-proxy`). */
const supportsEnvProxy = () => process.allowedNodeEnvironmentFlags.has("--use-env-proxy");

/**
 * Returns whether `fetch` uses the proxies of the environment, because of an option of Node or of a dispatcher that the program
 * has set.
 */
function usesEnvProxy(env: Environment): boolean {
  const flag = "--use-env-proxy";
  const enabled = env.NODE_USE_ENV_PROXY === "1" || process.execArgv.includes(flag) || env.NODE_OPTIONS?.includes(flag);
  // Undici stores the dispatcher of all `fetch` calls in this global property.
  const dispatcher = (globalThis as Record<symbol, object | undefined>)[Symbol.for("undici.globalDispatcher.1")];
  return (enabled === true && supportsEnvProxy()) || dispatcher?.constructor.name === "EnvHttpProxyAgent";
}

/** Returns the proxy of the environment for a URL. `envProxy`: whether `fetch` uses it. */
export function proxyFor(url: string, env: Environment, envProxy: boolean): NamedProxy | undefined {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === "https:" || protocol === "wss:";
  const variables = secure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
  const findSet = (names: string[]) => names.find((name) => env[name]);
  const describe = (variable: string) => `the proxy ${address(env[variable] as string)} of ${variable}`;
  const host = hostname.replace(/^\[|\]$/g, "");
  if (isExcluded(host, port || (secure ? "443" : "80"), env.no_proxy || env.NO_PROXY || "")) return undefined;
  // Undici falls back to the variable for `http` if that for `https` is not set, and ignores ALL_PROXY.
  const used = envProxy ? findSet(secure ? [...variables, "http_proxy", "HTTP_PROXY"] : variables) : undefined;
  if (used !== undefined) return { name: describe(used), used: true };
  const unused = findSet([...variables, "all_proxy", "ALL_PROXY"]);
  return unused === undefined || isLoopback(host) ? undefined : { name: describe(unused), used: false };
}

/** Returns the host and the port of a proxy, without scheme and credentials. */
const address = (proxy: string) =>
  (
    proxy
      .trim()
      .replace(/^[a-z0-9+.-]*:\/\//i, "")
      .split("@")
      .pop() as string
  ).split(/[/?#]/, 1)[0];

const isLoopback = (host: string) => /^(.+\.)?localhost\.?$|^127\.|^::1$|^::ffff:7f|^0\.0\.0\.0$|^::$/.test(host);

/** Returns whether a list in the format of `NO_PROXY` contains a host. */
function isExcluded(host: string, port: string, list: string): boolean {
  return list.split(/[,\s]+/).some((entry) => {
    const [, name = entry, entryPort] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (entry === "*") return true;
    if (name === "" || (entryPort !== undefined && entryPort !== port)) return false;
    const domain = name.toLowerCase().replace(/^\*?\.|^\[|\]$/g, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
}

function hint(): string {
  const text = "WebAssembly in Node uses a proxy only with NODE_USE_ENV_PROXY=1";
  return supportsEnvProxy() ? text : `${text}, from Node 24 on`;
}

/** Returns a warning if a proxy of the environment affects requests to a URL in a way that the user may not expect. */
export function proxyWarning(url: string): string | undefined {
  const proxy = proxyFor(url, process.env, usesEnvProxy(process.env));
  if (proxy === undefined) return undefined;
  if (!proxy.used) return `${proxy.name} is not used: ${hint()}`;
  const { hostname } = new URL(url);
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ""))) return undefined;
  return `requests to ${hostname} leave this machine through ${proxy.name}: add ${hostname} to NO_PROXY`;
}

/** Returns the error message for a failed request or socket: the causes that Node reports, and the role of the proxy. */
export function explainFailure(url: string, thrown: unknown): string {
  const text = thrown === undefined ? "the connection could not be opened" : causes(thrown);
  const proxy = proxyFor(url, process.env, usesEnvProxy(process.env));
  if (proxy === undefined) return text;
  return proxy.used ? `${proxy.name}: ${text}` : `${text} (${proxy.name} is not used: ${hint()})`;
}

/** Returns the messages of an error and its causes on one line. */
function causes(thrown: unknown): string {
  const texts: string[] = [];
  let error = thrown as Partial<Error & { code: string }> | undefined;
  // The depth is limited, because an error may be its own cause.
  for (let depth = 0; error && depth < 5; depth += 1, error = error.cause as typeof error) {
    // If the connections to all addresses of a name fail, the error has a code but no message.
    const text = error.message || error.code;
    if (text !== undefined && !texts.some((known) => known.includes(text))) texts.push(text);
  }
  return texts.join(": ");
}
