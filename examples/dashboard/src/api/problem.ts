/** What went wrong, as the server of the page describes an error of the SDK. */
export interface Problem {
  /** The class of the error. */
  name: string;
  message: string;
  /** Whether the call took effect. */
  delivered: "no" | "maybe" | "yes";
  field?: string;
  status?: number;
  code?: string;
  request_id?: string;
  /** Seconds. */
  retry_after?: number;
}

/** A call of the page that failed. */
export class CallFailed extends Error {
  readonly problem: Problem;
  /** The HTTP status of the page's server; 0 if it did not answer. */
  readonly status: number;

  constructor(problem: Problem, status = 0) {
    super(problem.message);
    this.name = problem.name;
    this.problem = problem;
    this.status = status;
  }
}

/** The server of the page cannot be reached: nobody can tell what became of the call. */
export const SERVER_GONE: Problem = {
  name: "ServerGone",
  message: "The dashboard's own server does not answer.",
  delivered: "maybe",
};

/** The server does not accept the cookie of this page: each start of it has another one. */
export const RESTARTED: Problem = {
  name: "Restarted",
  message: "The dashboard was restarted, or this page's cookie was deleted.",
  delivered: "no",
};

const ADVICE: Record<string, string> = {
  ServerGone: "Is npm start still running in its terminal? If not, start it again and open the address that it prints.",
  Restarted: "Open the new address: it is on the line Dashboard: in the terminal of npm start.",
  AuthenticationError: "The API key is not accepted: start the dashboard with another ORGO_API_KEY.",
  NotFoundError: "It may have been deleted elsewhere.",
  RateLimitError: "The service asks to slow down. Try again in a moment.",
  ConnectionError: "Check the network; for the local desktop, whether npm start still runs in its terminal.",
  TimeoutError: "The service took too long. It may still be at work: look before you try again.",
  ServerError: "The service or the computer failed. Try again in a moment, or restart the computer.",
};

/** What a platform says of a connection that failed, and what it means. */
const CONNECTION: [pattern: RegExp, words: string][] = [
  [/refused/i, "The service does not answer: nothing listens at its address."],
  [/dns|lookup|resolve|not known/i, "The service's name cannot be found."],
  [/certificate|tls|handshake/i, "No secure connection to the service can be made."],
  [/unreachable/i, "The network does not lead to the service."],
  [/reset|broken pipe|closed|aborted|incomplete|eof/i, "The connection to the service was cut."],
];
const NO_CONNECTION = "The service cannot be reached.";

/** Errors that no other call would be spared. */
const OUT_OF_REACH = ["ServerGone", "Restarted", "AuthenticationError", "ConnectionError", "TimeoutError", "ServerError"];

/** Whether a failed list of the computers means that nothing can be done now. */
export function isOutOfReach(error: unknown): boolean {
  return !(error instanceof CallFailed) || OUT_OF_REACH.includes(error.name);
}

/** Whether a call failed with its connection, which another try may not. */
export function isBrokenConnection(error: unknown): boolean {
  return error instanceof CallFailed && ["ServerGone", "ConnectionError"].includes(error.name);
}

/** Whether an input alone was refused, without an effect, so that others can follow it. */
export function isRefusal(error: unknown): boolean {
  return error instanceof CallFailed && error.problem.delivered === "no" && [400, 422].includes(error.status);
}

/** A failure in words, with what can be done about it. */
export function explain(error: unknown): { message: string; advice?: string } {
  const raw = error instanceof Error ? error.message : String(error);
  // The name of the call and the status are in the list of calls.
  const [prefix = ""] = /^\w+\.\w+: (\d{3} )?/.exec(raw) ?? [];
  const name = error instanceof Error ? error.name : "";
  const said = raw.slice(prefix.length);
  const message =
    name === "ConnectionError"
      ? (CONNECTION.find(([pattern]) => pattern.test(said))?.[1] ?? NO_CONNECTION)
      : sentence(said.replace(/ ?\(os error \d+\)/g, ""));
  const requestId = error instanceof CallFailed ? error.problem.request_id : undefined;
  // What an export does not find is a file of the computer, and the message says so.
  const general = prefix.startsWith("files.export") && name === "NotFoundError" ? "Check the path." : ADVICE[name];
  const advice = [general, requestId && `Request ${requestId}.`].filter(Boolean).join(" ");
  return { message, ...(advice !== "" && { advice }) };
}

/** A failure and what can be done about it, in one paragraph. */
export function paragraph(error: unknown): string {
  const { message, advice } = explain(error);
  return [message, advice].filter(Boolean).join(" ");
}

/** A message as a sentence of its own. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
