// Every error of the package is provoked through each binding: it is of its class, has its fields, and says the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import * as sdk from "orgo-sdk";
import { certificate } from "../support/certificate.mjs";
import { startNode, startPage } from "./clients.mjs";
import { ELSEWHERE, errorClasses, PROVOCATIONS } from "./error-cases.mjs";
import { startRefuser } from "./refuser.mjs";

const encode = (field) => ({ name: "InvalidParameterError", kind: "encode", delivered: "no", field });
const decode = (path) => ({ name: "DecodeError", kind: "decode", delivered: "yes", status: 200, path });
const told = { code: "some_code", request_id: "req_1", upstream_status: 409, retry_after: 2.5 };
const tooLarge = (limit) => ({ name: "ResponseTooLargeError", kind: "too_large", delivered: "yes", status: 200, limit });
const server = (name, status, delivered = "no") => ({ name, kind: "server", delivered, status, ...told });
const timeout = (delivered) => ({ name: "TimeoutError", kind: "timeout", delivered, limit: 100 });
const aborted = (delivered) => ({ name: "AbortError", kind: "aborted", delivered, cause: "enough" });
const closed = (reason, code) => ({ name: "ChannelClosedError", kind: "closed", delivered: "no", cause: { reason, code } });

/** The refuser's control characters, as an error may show them. */
const ESCAPED = String.raw`a\u001b[2J\u001b]0;t\u0007\r\n\u009b\u202e\u2028z`;

/** What each provocation has to lead to. */
const EXPECTED = {
  "a parameter out of its range": encode("x"),
  "a parameter that is not known": encode("colour"),
  "an option out of its range": encode("timeout"),
  "an address that is none": encode("baseUrl"),
  "an option of a channel out of its range": encode("cols"),

  "an answer with a wrong field": decode("desktops[3].ram"),
  "an answer without a needed field": decode("id"),
  "an answer that is long and wrong": decode("id"),
  "an answer that is not JSON": { ...decode(""), body: "<html>Sign in</html>" },
  "a screenshot that is no picture": { ...decode(""), body: "<html>Sign in</html>" },

  "a response that is too large": tooLarge(5),
  "a response that is too large for one call": tooLarge(5),
  "a response that is too large once it is decompressed": tooLarge(100_000),
  "a response that announces too much": tooLarge(64 << 20),
  "a response that announces too much, to an upload that is watched": tooLarge(64 << 20),
  "a response without an end": tooLarge(64 << 20),
  "a response without an end, to an upload that is watched": tooLarge(64 << 20),
  "a refusal without an end": { name: "APIError", kind: "server", delivered: "no", status: 418, body: "" },
  "a refusal with control characters": {
    ...{ name: "APIError", kind: "server", delivered: "no", status: 418 },
    ...{ message: `computers.get: 418 ${ESCAPED}`, code: ESCAPED, request_id: ESCAPED },
  },
  "a header that frames the request": encode("headers"),

  "a refusal with 400": server("BadRequestError", 400),
  "a refusal with 401": server("AuthenticationError", 401),
  "a refusal with 402": server("APIError", 402),
  "a refusal with 403": server("PermissionDeniedError", 403),
  "a refusal with 404": server("NotFoundError", 404),
  "a refusal with 409": server("ConflictError", 409),
  "a refusal with 429": server("RateLimitError", 429),
  "a refusal with 500": server("ServerError", 500, "maybe"),
  "a refusal without a word": { name: "APIError", kind: "server", delivered: "no", status: 418, body: "" },

  "a connection that is reset": { name: "ConnectionError", kind: "transport", delivered: "maybe" },
  "keystrokes while the link is down": { name: "ConnectionError", kind: "transport", delivered: "no" },

  "no answer": timeout("maybe"),
  "an answer that stops": timeout("maybe"),
  "no success in time": timeout("maybe"),
  "a channel that does not open": timeout("maybe"),
  "an event that does not come": timeout("no"),

  "an abort before the call": aborted("no"),
  "an abort during the call": aborted("maybe"),
  "an abort while a channel opens": aborted("maybe"),

  "a channel that the server closes in the normal way": closed("normal", 1000),
  "a shell that ends": { cause: { reason: "exit" } },
  "a server that goes away": closed("going_away", 1001),
  "a broken protocol": closed("protocol", 1002),
  "a refusal of another kind": closed("refused", 1008),
  "a wrong password": closed("unauthorized"),
  "a computer that does not run": closed("not_running", 4003),
  "a computer that is not there": closed("not_found", 4404),
  "a channel without input": closed("idle", 4008),
  "a password for looking": closed("view_only", 4011),
  "a shell that cannot be started": closed("failed", 4500),
  "a computer that cannot be reached": closed("unreachable", 4999),
  "a message that is too large": closed("protocol", 1009),
  "a close reason with control characters": {
    ...closed("idle", 4008),
    message: `closed by the server after a long time without input: close code 4008, ${ESCAPED}`,
  },
  "output that nobody takes": closed("overflow"),

  "a computer that is broken": { name: "ComputerStateError", kind: "computer", delivered: "no" },
  "sound where there is none to play it": { name: "BindingError", kind: "binding", delivered: "no" },
};

/** Where a platform says in its own words what happened, its message goes on so. */
const OWN_WORDS = { "a connection that is reset": "computers.get: the network failed: " };

/** The alternatives of a union of strings in a source of the package. */
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

test("every class, every kind and every reason has its row", () => {
  assert.deepEqual(Object.keys(PROVOCATIONS), Object.keys(EXPECTED));
  // The base is the class of every error, and of none alone.
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

const said = {};
const start = {
  native: () => startNode("native"),
  "wasm in Node": () => startNode("wasm"),
  "wasm in Chromium": (context) => startPage(readFileSync(certificate(context).cert)),
};
for (const [platform, begin] of Object.entries(start)) {
  test(`every error: ${platform}`, { timeout: 120_000 }, async (context) => {
    const client = await begin(context);
    context.after(() => client.close());
    const names = Object.keys(PROVOCATIONS).filter((name) => !ELSEWHERE[platform].includes(name));
    const provoked = names.map(async (name) => [name, await client.work("provoke", { name, url: refuser.url })]);
    said[platform] = Object.fromEntries(await Promise.all(provoked));
    for (const [name, error] of Object.entries(said[platform])) {
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
    const { body } = said[platform]["an answer that is long and wrong"];
    assert.ok(body.length > 1000 && Buffer.byteLength(body) <= 4100, `the body is kept: ${Buffer.byteLength(body)} bytes`);
    assert.ok(said[platform]["an answer with a wrong field"].body.includes('"ram":"four"'));
  });
}

test("nothing that Node prints of an error has an effect on a terminal", async () => {
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

test("the platforms say the same", () => {
  const { native: first, ...others } = said;
  for (const [platform, errors] of Object.entries(others)) {
    for (const [name, error] of Object.entries(errors)) {
      const comparable = ({ message, ...rest }) => {
        const words = OWN_WORDS[name];
        if (words === undefined) return { ...rest, message };
        assert.ok(message.startsWith(words) && message.length > words.length, message);
        return rest;
      };
      if (first[name] !== undefined) assert.deepEqual(comparable(error), comparable(first[name]), `${platform}: ${name}`);
    }
  }
  console.log(`  ${Object.keys(EXPECTED).length} provocations through ${Object.keys(said).join(", ")}`);
});
