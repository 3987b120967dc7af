import { OrgoError } from "orgo-sdk";
import { Refused } from "./guard.mjs";
import { printableError } from "./terminal.mjs";

/** The fields of an SDK error that the page can use. */
const FIELDS = ["kind", "delivered", "field", "status", "code", "request_id", "retry_after", "limit"];

/**
 * What the page is told of a failure: the status of the answer and its body.
 *
 * @param {unknown} error
 * @returns {{ status: number, body: { error: Record<string, unknown> } }}
 */
export function describeError(error) {
  if (error instanceof Refused) {
    return { status: error.status, body: { error: { name: error.name, message: error.message, delivered: "no" } } };
  }
  if (error instanceof OrgoError) {
    const known = FIELDS.filter((name) => error[name] !== undefined).map((name) => [name, error[name]]);
    return {
      status: statusOf(error),
      body: { error: { name: error.name, message: error.message, ...Object.fromEntries(known) } },
    };
  }
  // Its message may hold anything, so it goes to the terminal and not to the page.
  console.error(printableError(error));
  return {
    status: 500,
    body: {
      error: { name: "Error", message: "The dashboard's server failed; its output says why", delivered: "maybe" },
    },
  };
}

function statusOf(error) {
  if (error.kind === "encode") return 400;
  if (error.kind === "timeout") return 504;
  return error.status ?? 502;
}
