// The table of faults: as it has to be, for the documentation, and as it was met.
import { fileURLToPath } from "node:url";
import { FAULTS } from "./faults.mjs";
import { canPass, expected, RETRIES } from "./rules.mjs";

/** The page of the documentation. */
export const FILE = fileURLToPath(new URL("../../docs/faults.md", import.meta.url));

/** The calls of a column: those that must happen once, and all others. */
const GROUPS = ["once", "read"];
const HEAD = ["fault", "error", "`delivered`", "`once`: it lasts", "`once`: it passes", "others: it lasts", "others: it passes"];

/** The page, by the rules. */
export function page() {
  return `<!-- Written by tests/faults/write.mjs from the rules of the tests. Do not edit. -->

# Faults

What a call does when something goes wrong on its way. In the tests (\`npm test -- faults\`) every call meets every fault,
through each binding, against a server that counts what reaches it; this page has the rules that they are held to. An upload
meets them with \`onProgress\` too, with which a page sends it in another way. The effect of each call is in the
[reference](reference.md).

- A call that must happen *once* is sent again only if it provably did nothing: it never left, or the answer says so
  (429, and the codes of a computer that is waking up). All others are sent again after every fault that may pass.
- \`delivered\` is what a client can know of the call's effect, over all of its tries: \`no\`, \`maybe\` or \`yes\`.
- \`request_id\`, \`code\`, \`upstream_status\` and \`retry_after\` are in the error wherever the answer had them.
- Before another try the call waits as long as the answer asks by \`Retry-After\` (seconds or a date) or
  \`retry_after\`, else a random time of up to 1 s, 2 s, 4 s ... 60 s.
- A response that is larger than \`maxResponseBytes\` is given up as soon as that shows: by its length, or by what has
  arrived. The call was carried out, and another try would end in the same way.
- Where the fault is in the fetching of a link (a file's content, a linked screenshot), the call itself was carried out:
  \`delivered\` is \`yes\`, and the link is fetched again as a read is.

The calls of the tables may be tried again so often: ${RETRIES} (\`maxRetries\`). Where a fault *lasts*, every try meets it,
and the call fails with the error: the table says how many tries there are, and how many requests the server receives
whole. Where it *passes*, only the first try meets it.

## Node, native addon

${render((cell) => expected({ ...cell, platform: "native" }).map(said))}

A connection that is reset as soon as it is there fails before anything is sent on it, or just after.

## WebAssembly, in a page

A page is not told why a request failed: an unknown host, a refused connection, failed TLS, a reset, and what CORS or CSP
forbid look the same. So a call that must happen once is not sent again after any of them, and \`delivered\` is \`maybe\`. Of
another origin's header a page sees \`Retry-After\`, \`Date\` and \`X-Request-Id\` only if the server names them in
\`Access-Control-Expose-Headers\`; it always sees what the body says.

${render((cell) => expected({ ...cell, platform: "wasm in Chromium" }).map(said))}

**Chromium repeats requests by itself.** Where a connection that served a request before (a preflight counts) is reset
before the answer, or the answer is 408, it sends the request once more, whatever its method, and tells nobody. A call that
must happen once can so arrive twice, and a page cannot prevent it; a server can, with \`Connection: close\` in the answer
before. Node does no such thing, neither with the addon nor with WebAssembly, which in all other respects works there as
in a page.
`;
}

/** What was met, as a table. */
export function summary(met) {
  return render(({ fault, effect, passes }) =>
    met
      .filter((cell) => cell.fault === fault && !cell.followed && cell.passes === passes)
      .filter((cell) => (cell.effect === "once") === (effect === "once"))
      .map(({ error, tries, received }) =>
        said({ error: error?.name, delivered: error?.delivered, tries, received: [received, received] }),
      ),
  );
}

function said({ error, delivered, tries, received: [least, most] }) {
  const received = `${least === most ? least : `${least} to ${most}`} received`;
  return {
    error: error && `\`${error}\``,
    delivered,
    lasting: `${tries} ${tries === 1 ? "try" : "tries"}, ${received}`,
    passing: `${error === undefined ? "succeeds" : "fails"}, ${received}`,
  };
}

/** @param {(cell: object) => ReturnType<typeof said>[]} outcomes of calls of that effect under that fault */
function render(outcomes) {
  const joined = (texts) => [...new Set(texts.filter((text) => text !== undefined))].join(" or ");
  const rows = Object.keys(FAULTS).map((fault) => {
    const cell = (effect, passes) => outcomes({ fault, effect, passes, followed: false });
    const lasting = GROUPS.flatMap((effect) => cell(effect, false));
    return [
      fault,
      joined(lasting.map(({ error }) => error)),
      joined(lasting.map(({ delivered }) => delivered)),
      ...GROUPS.flatMap((effect) => [
        joined(cell(effect, false).map(({ lasting }) => lasting)),
        canPass(fault) ? joined(cell(effect, true).map(({ passing }) => passing)) : "",
      ]),
    ];
  });
  const line = (texts) => `| ${texts.join(" | ")} |`;
  return [line(HEAD), line(HEAD.map(() => "---")), ...rows.map(line)].join("\n");
}
