/** An SDK error as the page's server describes it. */
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
  /** In seconds. */
  retry_after?: number;
}

/** A failed call of the page. */
export class CallFailed extends Error {
  readonly problem: Problem;
  /** The HTTP status of the response. 0 without a response from the page's server, or if the error arrived during an upload. */
  readonly status: number;

  constructor(problem: Problem, status = 0) {
    super(problem.message);
    this.name = problem.name;
    this.problem = problem;
    this.status = status;
  }
}

/** The page's server is unreachable, so the result of the call is unknown. */
export const SERVER_UNREACHABLE: Problem = {
  name: "ServerUnreachable",
  message: "The dashboard's server does not respond.",
  delivered: "maybe",
};

/** The server rejected the cookie of this page. Each start of the server has a new cookie. */
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

/** Patterns in the connection errors of the platforms, and the messages to show for them. */
const CONNECTION_ERRORS: [pattern: RegExp, message: string][] = [
  [/refused/i, "The service refused the connection. It may not be running."],
  [/dns|lookup|resolve|not known/i, "The host name of the service could not be resolved."],
  [/certificate|tls|handshake/i, "A secure connection to the service could not be established."],
  [/unreachable/i, "There is no network route to the service."],
  [/reset|broken pipe|closed|aborted|incomplete|eof/i, "The connection to the service was interrupted."],
];
const NO_CONNECTION = "The service is unreachable.";

/** Errors that affect all calls. */
const OUTAGE_ERRORS = ["ServerUnreachable", "Restarted", "AuthenticationError", "ConnectionError", "TimeoutError", "ServerError"];

/** Whether an error of listing the computers means that no call can succeed at the moment. */
export function isOutage(error: unknown): boolean {
  return !(error instanceof CallFailed) || OUTAGE_ERRORS.includes(error.name);
}

/** Whether a call failed because of its connection, so a retry may succeed. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof CallFailed && ["ServerUnreachable", "ConnectionError"].includes(error.name);
}

/** Whether only this input was rejected, without an effect, so the inputs after it can be sent. */
export function isRejectedInput(error: unknown): boolean {
  return error instanceof CallFailed && error.problem.delivered === "no" && [400, 422].includes(error.status);
}

/** Describes an error for the user, with advice if there is any. */
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
  // An export reports a missing file of the computer, not a deleted resource.
  const general = prefix.startsWith("files.export") && name === "NotFoundError" ? "Check the path." : ADVICE[name];
  const advice = [general, requestId && `Request ${requestId}.`].filter(Boolean).join(" ");
  return { message, ...(advice !== "" && { advice }) };
}

/** Describes an error with its advice in one paragraph. */
export function paragraph(error: unknown): string {
  const { message, advice } = explain(error);
  return [message, advice].filter(Boolean).join(" ");
}

/** Capitalizes a message and ends it with a period. */
export function sentence(text: string): string {
  const capitalized = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(capitalized) ? capitalized : `${capitalized}.`;
}
