// Runs the wire pairs of tests/vectors/calls through every binding.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Exchange } from "./exchange.mjs";
import { startSubjects } from "./subjects.mjs";
import { canonical, part, readVectors } from "./vectors.mjs";

const KEY = "sk_live_test";
const BASE = "https://www.orgo.ai/api";
/** The timeout of a request, in milliseconds, if a request of the vector must time out. It replaces the default of a minute. */
const SOON = 8_000;

let subjects;
const counts = {};
before(async () => (subjects = await startSubjects()));
after(async () => {
  for (const subject of Object.values(subjects ?? {})) await subject.close();
});

describe("calls", { concurrency: 8 }, () => {
  for (const { file, vector } of readVectors("calls")) {
    if (vector.virtual) continue;
    test(`${file}: ${vector.name}`, { timeout: 60_000 }, async () => {
      const names = vector.native ? ["native"] : Object.keys(subjects);
      const seen = await Promise.all(names.map(async (name) => [name, await run(subjects[name], vector)]));
      const [[, first], ...others] = seen;
      for (const [name, other] of others) assert.equal(other, first, `through ${name}, not as through ${names[0]}`);
      for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    });
  }
});

test("every vector was run, or states a reason to skip it", () => {
  const vectors = readVectors("calls").map(({ vector }) => vector);
  const [alone, native] = ["virtual", "native"].map((field) => vectors.filter((vector) => vector[field]).length);
  console.log(`  calls: ${vectors.length} vectors; ${canonical(counts)}; ${native} need the addon, ${alone} the core`);
  const all = vectors.length - alone;
  assert.deepEqual(counts, { native: all, wasm: all - native, page: all - native });
});

/** Runs a vector through one binding. Returns the requests and the outcome, which must be equal in every binding. */
async function run(subject, vector) {
  const base = vector.config?.base_url ?? BASE;
  const exchange = await Exchange.start(new URL(base).origin, vector.exchange);
  try {
    const runsOut = vector.exchange.some((step) => step.timeout) && vector.options?.timeout === undefined;
    const job = {
      operation: vector.operation,
      params: vector.params,
      options: { ...(runsOut && { timeout: SOON }), ...vector.options },
      content: vector.content,
      config: { api_key: KEY, max_retries: 0, log_level: "info", ...vector.config, base_url: exchange.local(base) },
    };
    const outcome = await subject.call(job, () => void exchange.retried());
    const { result, error, bytes } = JSON.parse(exchange.original(JSON.stringify(outcome)));
    if (vector.error) assert.equal(canonical(part(error, vector.error)), canonical(vector.error), canonical(outcome));
    else assert.equal(canonical(result), canonical(vector.result), canonical(outcome));
    assert.deepEqual([exchange.left, exchange.problems], [[], []]);
    const expected = vector.exchange.filter((step) => step.request && step.failure?.reached !== "never");
    assert.equal(exchange.requests.length, expected.length, "the number of requests");
    const sent = exchange.requests.map((request, index) => compare(request, expected[index].request));
    return canonical({ sent, result, bytes, error: error && { ...error, ...comparableTexts(error) } });
  } finally {
    await exchange.close();
  }
}

/** Omits the message and the cause of a network failure, because they depend on the platform. */
const comparableTexts = ({ kind }) => (kind === "transport" ? { message: undefined, network: undefined } : {});

/** Compares a request with the vector. Returns the parts of the request that must be equal in every binding. */
function compare({ method, url, headers, body }, expected) {
  assert.deepEqual([method, url], [expected.method, expected.url]);
  const authorization = expected.authorized === false ? undefined : `Bearer ${KEY}`;
  assert.equal(headers.authorization, authorization, "the key");
  for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(headers[name], value, name);
  const text = body.toString();
  if (expected.body) assert.equal(canonical(JSON.parse(text)), canonical(expected.body), "the body");
  for (const part of expected.contains ?? []) assert.ok(text.includes(part), `the body lacks ${part}:\n${text}`);
  const [type, boundary] = (headers["content-type"] ?? "").split("; boundary=");
  // Browsers send this header by default.
  const accept = headers.accept === "*/*" ? undefined : headers.accept;
  return { method, url, accept, type, body: boundary ? text.replaceAll(boundary, "") : text };
}
