import { OrgoError } from "orgo-sdk";
import { formatError } from "./escape.mjs";
import { HttpError } from "./guard.mjs";

/** The fields of an SDK error that the server sends to the page. */
const FIELDS = ["kind", "delivered", "field", "status", "code", "request_id", "retry_after", "limit"];

/**
 * Returns the status and the body of the response for an error.
 *
 * @param {unknown} error
 * @returns {{ status: number, body: { error: Record<string, unknown> } }}
 */
export function describeError(error) {
  if (error instanceof HttpError) {
    return { status: error.status, body: { error: { name: error.name, message: error.message, delivered: "no" } } };
  }
  if (error instanceof OrgoError) {
    const known = FIELDS.filter((name) => error[name] !== undefined).map((name) => [name, error[name]]);
    return {
      status: statusOf(error),
      body: { error: { name: error.name, message: error.message, ...Object.fromEntries(known) } },
    };
  }
  // The message of an unexpected error may contain secrets, so it is printed only in the terminal.
  console.error(formatError(error));
  return {
    status: 500,
    body: {
      error: { name: "Error", message: "Internal error of the dashboard's server; see its terminal output", delivered: "maybe" },
    },
  };
}

function statusOf(error) {
  if (error.kind === "encode") return 400;
  if (error.kind === "timeout") return 504;
  return error.status ?? 502;
}
