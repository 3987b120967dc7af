/**
 * What the texts of WebAssembly in Node say of proxies: `fetch` does the work there, and follows the environment only if
 * Node is told to. The addon has rules of its own (node/src/proxies.rs).
 */
type Environment = Record<string, string | undefined>;

/** A proxy by the name that an error shows, without its credentials. */
interface NamedProxy {
  name: string;
  /** Whether `fetch` goes through it. */
  used: boolean;
}

/** Whether this Node can be told to follow the variables. */
const capable = () => process.allowedNodeEnvironmentFlags.has("--use-env-proxy");

/** Whether `fetch` follows the variables: by Node's option, or since the program has set such a dispatcher. */
function follows(env: Environment): boolean {
  const flag = "--use-env-proxy";
  const told = env.NODE_USE_ENV_PROXY === "1" || process.execArgv.includes(flag) || env.NODE_OPTIONS?.includes(flag);
  // Undici's place for what every `fetch` of the process goes through.
  const dispatcher = (globalThis as Record<symbol, object | undefined>)[Symbol.for("undici.globalDispatcher.1")];
  return (told === true && capable()) || dispatcher?.constructor.name === "EnvHttpProxyAgent";
}

/** The proxy that the environment names for a URL, if it names one. */
export function proxyFor(url: string, env: Environment, followed: boolean): NamedProxy | undefined {
  const { protocol, hostname, port } = new URL(url);
  const secure = protocol === "https:" || protocol === "wss:";
  const own = secure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"];
  const named = (variables: string[]) => variables.find((name) => env[name]);
  const name = (variable: string) => `the proxy ${address(env[variable] as string)} of ${variable}`;
  const host = hostname.replace(/^\[|\]$/g, "");
  const excepted = isExcepted(host, port || (secure ? "443" : "80"), env.no_proxy || env.NO_PROXY || "");
  if (excepted) return undefined;
  // Undici takes the variable for `http` where that for `https` is missing, and does not know ALL_PROXY.
  const followedVariable = followed ? named(secure ? [...own, "http_proxy", "HTTP_PROXY"] : own) : undefined;
  if (followedVariable !== undefined) return { name: name(followedVariable), used: true };
  const variable = named([...own, "all_proxy", "ALL_PROXY"]);
  return variable === undefined || isLoopback(host) ? undefined : { name: name(variable), used: false };
}

/** Host and port alone. */
const address = (proxy: string) =>
  (
    proxy
      .trim()
      .replace(/^[a-z0-9+.-]*:\/\//i, "")
      .split("@")
      .pop() as string
  ).split(/[/?#]/, 1)[0];

const isLoopback = (host: string) => /^(.+\.)?localhost\.?$|^127\.|^::1$|^::ffff:7f|^0\.0\.0\.0$|^::$/.test(host);

function isExcepted(host: string, port: string, list: string): boolean {
  return list.split(/[,\s]+/).some((entry) => {
    const [, name = entry, only] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (entry === "*") return true;
    if (name === "" || (only !== undefined && only !== port)) return false;
    const domain = name.toLowerCase().replace(/^\*?\.|^\[|\]$/g, "");
    return host === domain || host.endsWith(`.${domain}`);
  });
}

function remedy(): string {
  const unless = "WebAssembly in Node uses a proxy only with NODE_USE_ENV_PROXY=1";
  return capable() ? unless : `${unless}, from Node 24 on`;
}

/** What is to be said of a URL's way before anything is sent. */
export function proxyWarning(url: string): string | undefined {
  const proxy = proxyFor(url, process.env, follows(process.env));
  if (proxy === undefined) return undefined;
  if (!proxy.used) return `${proxy.name} is not used: ${remedy()}`;
  const { hostname } = new URL(url);
  if (!isLoopback(hostname.replace(/^\[|\]$/g, ""))) return undefined;
  return `requests to ${hostname} leave this machine through ${proxy.name}: add ${hostname} to NO_PROXY`;
}

/** The text of a failed request or socket: all that Node tells of the cause, and what the proxy has to do with it. */
export function explainFailure(url: string, thrown: unknown): string {
  const text = thrown === undefined ? "the connection could not be opened" : causes(thrown);
  const proxy = proxyFor(url, process.env, follows(process.env));
  if (proxy === undefined) return text;
  return proxy.used ? `${proxy.name}: ${text}` : `${text} (${proxy.name} is not used: ${remedy()})`;
}

/** The messages of an error and its causes in one line. */
function causes(thrown: unknown): string {
  const texts: string[] = [];
  let error = thrown as Partial<Error & { code: string }> | undefined;
  // An error may be its own cause.
  for (let depth = 0; error && depth < 5; depth += 1, error = error.cause as typeof error) {
    // Where a name has several addresses, the failures of all of them have no message but a code.
    const text = error.message || error.code;
    if (text !== undefined && !texts.some((known) => known.includes(text))) texts.push(text);
  }
  return texts.join(": ");
}
