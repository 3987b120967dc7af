/** An SDK error in the form in which the page's server sends it. */
export interface Problem {
  /** The name of the error class. */
  name: string;
  message: string;
  /** Whether the service received the call. */
  delivered: "no" | "maybe" | "yes";
  field?: string;
  status?: number;
  code?: string;
  request_id?: string;
  /** The delay before a retry that the service requests, in seconds. */
  retry_after?: number;
}

/** The error of a call from the page that failed. */
export class CallFailed extends Error {
  readonly problem: Problem;
  /** The HTTP status of the response. 0 if the page's server did not respond, or if an upload failed after the response began. */
  readonly status: number;

  constructor(problem: Problem, status = 0) {
    super(problem.message);
    this.name = problem.name;
    this.problem = problem;
    this.status = status;
  }
}

/** The problem to show if the page's server is unreachable. The result of the call is then unknown. */
export const SERVER_UNREACHABLE: Problem = {
  name: "ServerUnreachable",
  message: "The dashboard's server does not respond.",
  delivered: "maybe",
};

/** The problem to show if the server rejects the cookie of this page. The server creates a new cookie at each start. */
export const SERVER_RESTARTED: Problem = {
  name: "Restarted",
  message: "The dashboard was restarted, or this page's cookie was deleted.",
  delivered: "no",
};

const ADVICE: Record<string, string> = {
  ServerUnreachable: "Check that npm start is still running. If it is not, run it again and open the URL that it prints.",
  Restarted: "Open the new URL. npm start prints it in its terminal after “Dashboard:”.",
  AuthenticationError: "The service rejected the API key. Restart the dashboard with a valid ORGO_API_KEY.",
  NotFoundError: "It may have been deleted.",
  RateLimitError: "The rate limit is exceeded. Try again in a moment.",
  ConnectionError: "Check your network. For a local desktop, check that npm start is still running.",
  TimeoutError: "The service did not respond in time. The call may still take effect, so check before you try again.",
  ServerError: "The service or the computer had an internal error. Try again in a moment, or restart the computer.",
};

/** The patterns for connection errors of the platforms, and the messages to show instead. */
const CONNECTION_ERRORS: [pattern: RegExp, message: string][] = [
  [/refused/i, "The service refused the connection. It may not be running."],
  [/dns|lookup|resolve|not known/i, "The host name of the service could not be resolved."],
  [/certificate|tls|handshake/i, "A secure connection to the service could not be established."],
  [/unreachable/i, "There is no network route to the service."],
  [/reset|broken pipe|closed|aborted|incomplete|eof/i, "The connection to the service was interrupted."],
];
const NO_CONNECTION = "The service is unreachable.";

/** The names of the errors that affect all calls. */
const OUTAGE_ERRORS = ["ServerUnreachable", "Restarted", "AuthenticationError", "ConnectionError", "TimeoutError", "ServerError"];

/** Returns whether the error of a list call means that no call can currently succeed. */
export function isOutage(error: unknown): boolean {
  return !(error instanceof CallFailed) || OUTAGE_ERRORS.includes(error.name);
}

/** Returns whether a call failed because of a connection error, so that a retry may succeed. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof CallFailed && ["ServerUnreachable", "ConnectionError"].includes(error.name);
}

/** Returns whether the service rejected only this input, without any effect, so that later inputs can be sent. */
export function isRejectedInput(error: unknown): boolean {
  return error instanceof CallFailed && error.problem.delivered === "no" && [400, 422].includes(error.status);
}

/** Describes an error for the user, with advice if available. */
export function explain(error: unknown): { message: string; advice?: string } {
  const raw = error instanceof Error ? error.message : String(error);
  // The panel "Calls" already shows the name of the call and the status.
  const [prefix = ""] = /^\w+\.\w+: (\d{3} )?/.exec(raw) ?? [];
  const name = error instanceof Error ? error.name : "";
  const text = raw.slice(prefix.length);
  const message =
    name === "ConnectionError"
      ? (CONNECTION_ERRORS.find(([pattern]) => pattern.test(text))?.[1] ?? NO_CONNECTION)
      : sentence(text.replace(/ ?\(os error \d+\)/g, ""));
  const requestId = error instanceof CallFailed ? error.problem.request_id : undefined;
  // In an export, this error means that the computer has no such file, not that a resource was deleted.
  const general = prefix.startsWith("files.export") && name === "NotFoundError" ? "Check the path." : ADVICE[name];
  const advice = [general, requestId && `Request ${requestId}.`].filter(Boolean).join(" ");
  return { message, ...(advice !== "" && { advice }) };
}

/** Describes an error in one paragraph: the message and the advice. */
export function paragraph(error: unknown): string {
  const { message, advice } = explain(error);
  return [message, advice].filter(Boolean).join(" ");
}

/** Capitalizes a message and ends it with a period. */
export function sentence(text: string): string {
  const capitalized = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
