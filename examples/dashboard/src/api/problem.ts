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

  constructor(problem: Problem) {
    super(problem.message);
    this.name = problem.name;
    this.problem = problem;
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
  PermissionDeniedError: "The account's plan or the key does not allow it. Delete a computer, or use another key.",
  NotFoundError: "It may have been deleted elsewhere.",
  RateLimitError: "The service asks to slow down. Try again in a moment.",
  ConnectionError: "The service cannot be reached. Check the network; for the local desktop, whether it still runs.",
  TimeoutError: "The service took too long. It may still be at work: look before you try again.",
  ServerError: "The service or the computer failed. Try again in a moment, or restart the computer.",
};

/** A failure in words, with what can be done about it. */
export function explain(error: unknown): { message: string; advice?: string } {
  // The name of the call and the status are in the list of calls.
  const message = sentence(
    (error instanceof Error ? error.message : String(error)).replace(/^\w+\.\w+: (\d{3} )?/, ""),
  );
  const { name, request_id } =
    error instanceof CallFailed ? error.problem : { name: error instanceof Error ? error.name : "" };
  const advice = [ADVICE[name], request_id && `Request ${request_id}.`].filter(Boolean).join(" ");
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
