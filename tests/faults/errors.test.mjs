// Triggers every error of the package through each binding, and checks its class, fields and message.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import * as sdk from "orgo-sdk";
import { certificate } from "../support/certificate.mjs";
import { startNode, startPage } from "./clients.mjs";
import { ERROR_CASES, errorClasses, LIMIT, NOT_APPLICABLE } from "./error-cases.mjs";
import { startRefuser } from "./refuser.mjs";

const encode = (field) => ({ name: "InvalidParameterError", kind: "encode", delivered: "no", field });
const decode = (path) => ({ name: "DecodeError", kind: "decode", delivered: "yes", status: 200, path });
const details = { code: "some_code", request_id: "req_1", upstream_status: 409, retry_after: 2.5 };
const tooLarge = (limit) => ({ name: "ResponseTooLargeError", kind: "too_large", delivered: "yes", status: 200, limit });
const server = (name, status, delivered = "no") => ({ name, kind: "server", delivered, status, ...details });
const timeout = (delivered) => ({ name: "TimeoutError", kind: "timeout", delivered, limit: LIMIT });
const aborted = (delivered) => ({ name: "AbortError", kind: "aborted", delivered, cause: "enough" });
const closed = (reason, code) => ({ name: "ChannelClosedError", kind: "closed", delivered: "no", cause: { reason, code } });

/** The control characters of the refuser in their escaped form. */
const ESCAPED = String.raw`a\u001b[2J\u001b]0;t\u0007\r\n\u009b\u202e\u2028z`;

/** The expected error of each case. */
const EXPECTED = {
  "an invalid parameter": encode("x"),
  "an unknown parameter": encode("color"),
  "an invalid option": encode("timeout"),
  "an invalid base URL": encode("baseUrl"),
  "a wait for an unknown event": encode("type"),
  "an invalid size of a terminal": {
    ...encode("cols"),
    message: "terminal.resize: `cols` must be a whole number of characters from 1 to 1000",
  },
  "an invalid option of a channel": encode("cols"),

  "a response with a field of the wrong type": decode("desktops[3].ram"),
  "a response without a required field": decode("id"),
  "a long invalid response": decode("id"),
  "a response that is not JSON": { ...decode(""), body: "<html>Sign in</html>" },
  "a screenshot that is not an image": { ...decode(""), body: "<html>Sign in</html>" },

  "a response that is too large": tooLarge(5),
  "a response that is too large for one call": tooLarge(5),
  "a response that is too large after decompression": tooLarge(100_000),
  "a response with a content-length that is too large": tooLarge(64 << 20),
  "a response with a content-length that is too large, with progress": tooLarge(64 << 20),
  "a small response that stops and announces too much": tooLarge(5),
  "a small response that stops and announces too much, with progress": tooLarge(5),
  "an endless response": tooLarge(64 << 20),
  "an endless response, with progress": tooLarge(64 << 20),
  "an endless refusal": { name: "APIError", kind: "server", delivered: "no", status: 418, body: "" },
  "a refusal with control characters": {
    ...{ name: "APIError", kind: "server", delivered: "no", status: 418 },
    ...{ message: `computers.get: 418 ${ESCAPED}`, code: ESCAPED, request_id: ESCAPED },
  },
  "a header that only the client may set": encode("headers"),

  "a refusal with 400": server("BadRequestError", 400),
  "a refusal with 401": server("AuthenticationError", 401),
  "a refusal with 402": server("APIError", 402),
  "a refusal with 403": server("PermissionDeniedError", 403),
  "a refusal with 404": server("NotFoundError", 404),
  "a refusal with 409": server("ConflictError", 409),
  "a refusal with 429": server("RateLimitError", 429),
  "a refusal with 500": server("ServerError", 500, "maybe"),
  "an empty refusal": { name: "APIError", kind: "server", delivered: "no", status: 418, body: "" },

  "a connection that is reset": { name: "ConnectionError", kind: "transport", delivered: "maybe" },
  "input on a closed channel": { name: "ConnectionError", kind: "transport", delivered: "no" },

  "no response": timeout("maybe"),
  "a response that stops": timeout("maybe"),
  "a small response that stops": timeout("maybe"),
  "no success within the total timeout": timeout("maybe"),
  "a channel that does not open": timeout("maybe"),
  "no event within the timeout": timeout("no"),

  "an abort before the call": aborted("no"),
  "an abort during the call": aborted("maybe"),
  "an abort while a channel opens": aborted("maybe"),

  "a normal close by the server": closed("normal", 1000),
  "a normal close before the channel opens": closed("refused", 1000),
  "a shell that ends": { cause: { reason: "exit" } },
  "a server that shuts down": closed("going_away", 1001),
  "a protocol violation": closed("protocol", 1002),
  "another refusal": closed("refused", 1008),
  "a wrong password": closed("unauthorized"),
  "a computer that is not running": closed("not_running", 4003),
  "a computer that does not exist": closed("not_found", 4404),
  "a channel without input": closed("idle", 4008),
  "a view-only password": closed("view_only", 4011),
  "a shell that does not start": closed("failed", 4500),
  "a computer that cannot be reached": closed("unreachable", 4999),
  "a message that is too large": closed("protocol", 1009),
  "a close reason with control characters": {
    ...closed("idle", 4008),
    message: `closed by the server after a long time without input: close code 4008, ${ESCAPED}`,
  },
  "unread output": closed("overflow"),

  "a computer with the status error": { name: "ComputerStateError", kind: "computer", delivered: "no" },
  "playback on a platform without audio output": { name: "BindingError", kind: "binding", delivered: "no" },
};

/** The start of the messages that end with a text of the platform. Only this start is compared. */
const MESSAGE_PREFIXES = { "a connection that is reset": "computers.get: the network failed: " };

/** Returns the members of a union type of strings in a source file of the package. */
function union(file, pattern) {
  const source = readFileSync(new URL(`../../npm/src/${file}`, import.meta.url), "utf8");
  const [, text] = pattern.exec(source) ?? assert.fail(`${file} has no ${pattern}`);
  return [...text.matchAll(/"(\w+)"/g)].map(([, name]) => name);
}

const rows = Object.values(EXPECTED);
const sorted = (values) => [...new Set(values)].sort();
let refuser;

before(async () => (refuser = await startRefuser()));
after(() => refuser.close());

test("there is a case for every class, kind and reason", () => {
  assert.deepEqual(Object.keys(ERROR_CASES), Object.keys(EXPECTED));
  // No error has only the base class.
  const classes = errorClasses(sdk).filter((name) => name !== "OrgoError");
  assert.deepEqual(sorted(rows.flatMap(({ name }) => name ?? [])), sorted(classes));
  const kinds = [
    ...union("generated/channels.ts", /interface ErrorRecord \{\s+kind: ([^;]+);/),
    ...union("errors.ts", /type ErrorKind = ([^;]+);/).filter((name) => name !== "kind"),
  ];
  assert.deepEqual(sorted(rows.flatMap(({ kind }) => kind ?? [])), sorted(kinds));
  const reasons = union("generated/channels.ts", /type CloseReason =([^;]+);/);
  assert.deepEqual(sorted(rows.flatMap(({ cause }) => cause?.reason ?? [])), sorted(reasons));
});

const errors = {};
const clients = {
  native: () => startNode("native"),
  "wasm in Node": () => startNode("wasm"),
  "wasm in Chromium": (context) => startPage(readFileSync(certificate(context).cert)),
};
for (const [platform, start] of Object.entries(clients)) {
  test(`every error: ${platform}`, { timeout: 120_000 }, async (context) => {
    const client = await start(context);
    context.after(() => client.close());
    const names = Object.keys(ERROR_CASES).filter((name) => !NOT_APPLICABLE[platform].includes(name));
    const triggered = names.map(async (name) => [name, await client.run("trigger", { name, url: refuser.url })]);
    errors[platform] = Object.fromEntries(await Promise.all(triggered));
    for (const [name, error] of Object.entries(errors[platform])) {
      const { cause, ...fields } = EXPECTED[name];
      for (const [field, value] of Object.entries(fields)) assert.equal(error[field], value, `${name}: ${field}`);
      if (typeof cause === "object") {
        const { reason, code, message } = error.cause;
        assert.deepEqual({ reason, code }, { code: undefined, ...cause }, name);
        assert.ok(message.length > 0 && (error.message ?? message) === message, name);
      } else {
        assert.equal(error.cause, cause, `${name}: cause`);
      }
      if (fields.name === undefined) continue;
      assert.ok(error.classes.includes("OrgoError") && error.classes.includes(fields.name), `${name}: ${error.classes}`);
      assert.equal(error.classes.includes("APIError"), fields.kind === "server", `${name}: ${error.classes}`);
    }
    const { body } = errors[platform]["a long invalid response"];
    assert.ok(body.length > 1000 && Buffer.byteLength(body) <= 4100, `the length of the body: ${Buffer.byteLength(body)} bytes`);
    assert.ok(errors[platform]["a response with a field of the wrong type"].body.includes('"ram":"four"'));
  });
}

test("printing an error cannot send control characters to the terminal", async () => {
  const lines = [];
  const log = (line) => lines.push(line);
  const logger = { error: log, warn: log, info: log, debug: log };
  const settings = { apiKey: "sk_fault", baseUrl: `${refuser.url}/controls/api`, maxRetries: 0, logger, logLevel: "debug" };
  const error = await new sdk.Orgo(settings).computers.get("c").catch((error) => error);
  assert.ok(error.body.includes("a") && lines.length > 0);
  for (const text of [...inspect(error).split("\n"), ...lines, ...error.body.split(/[\n\r\t]/)]) {
    assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
  }
});

test("all platforms report the same errors", () => {
  const { native: first, ...others } = errors;
  for (const [platform, platformErrors] of Object.entries(others)) {
    for (const [name, error] of Object.entries(platformErrors)) {
      const comparable = ({ message, ...rest }) => {
        const prefix = MESSAGE_PREFIXES[name];
        if (prefix === undefined) return { ...rest, message };
        assert.ok(message.startsWith(prefix) && message.length > prefix.length, message);
        return rest;
      };
      if (first[name] !== undefined) assert.deepEqual(comparable(error), comparable(first[name]), `${platform}: ${name}`);
    }
  }
  console.log(`  ${Object.keys(EXPECTED).length} error cases through ${Object.keys(errors).join(", ")}`);
});
