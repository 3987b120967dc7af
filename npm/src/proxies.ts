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
  return supportsEnvProxy() ? text : `${text}, from Node 22.21 and 24 on`;
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

/** Returns whether `fetch` and Node's WebSocket use a proxy for a URL. */
export const usesProxy = (url: string): boolean => proxyFor(url, process.env, usesEnvProxy(process.env))?.used === true;

/** Why a request or a socket failed. */
export interface FailureCause {
  /** The messages of the exception and its causes, and the role of the proxy. */
  message: string;
  /** The error code of Node, such as `ECONNREFUSED`. */
  code?: string;
  /** Whether no byte of the request was sent. */
  unsent: boolean;
  /** The status code, if the server refused to open a socket. */
  status?: number;
}

/** Describes why a request or a socket failed. `thrown` is the exception, or `undefined` if there is none. */
export function explainFailure(url: string, thrown: unknown): FailureCause {
  const chain = causes(thrown);
  const text = joinMessages(chain) || "the connection could not be opened";
  const proxy = proxyFor(url, process.env, usesEnvProxy(process.env));
  const named = proxy?.used ? `${proxy.name}: ${text}` : `${text} (${proxy?.name} is not used: ${hint()})`;
  const code = chain.map((error) => error.code).find((code) => typeof code === "string");
  // `ws` reports the response to a refused upgrade only as text.
  const [, status] = /^Unexpected server response: (\d{3})$/.exec(text) ?? [];
  return {
    message: proxy === undefined ? text : named,
    unsent: chain.some(isUnsent),
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status: Number(status) }),
  };
}

/** The fields of an error of Node's network. */
interface NetworkError {
  message?: string;
  code?: string;
  syscall?: string;
  cause?: unknown;
  errors?: unknown[];
}

/** Returns an error and its causes. */
function causes(thrown: unknown): NetworkError[] {
  const chain: NetworkError[] = [];
  let error = thrown as NetworkError | undefined;
  // The depth is limited, because an error may be its own cause.
  for (let depth = 0; typeof error === "object" && error !== null && depth < 5; depth += 1) {
    chain.push(error);
    // If the connections to all addresses of a name fail, the error has no message, but a list of errors.
    if (Array.isArray(error.errors)) chain.push(...(error.errors.slice(0, 4) as NetworkError[]));
    error = error.cause as NetworkError | undefined;
  }
  return chain;
}

/** Returns the messages of errors on one line. */
function joinMessages(chain: NetworkError[]): string {
  const texts: string[] = [];
  for (const { message, code, errors } of chain) {
    const text = message || (errors?.length ? undefined : code);
    if (text !== undefined && !texts.some((known) => known.includes(text))) texts.push(text);
  }
  return texts.join(": ");
}

/** The codes of errors that occur before anything is sent: no permission, no connection, no trusted certificate. */
const UNSENT_CODES =
  /^(ERR_ACCESS_DENIED|ERR_INVALID_URL|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_CERT_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|ERR_SSL_(WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|TLSV1_ALERT_PROTOCOL_VERSION|SSL.*_HANDSHAKE_FAILURE|TLSV1_UNRECOGNIZED_NAME))/;

/** The messages of errors without such a code: of the TLS handshake, and of undici for a proxy that refuses CONNECT. */
const UNSENT_MESSAGES =
  /^(Client network socket disconnected before secure TLS connection|Proxy response \(\d+\)|.*:SSL routines:.*:wrong version number)/;

function isUnsent({ code, syscall, message }: NetworkError): boolean {
  return (
    syscall === "connect" || syscall === "getaddrinfo" || UNSENT_CODES.test(String(code)) || UNSENT_MESSAGES.test(String(message))
  );
}
