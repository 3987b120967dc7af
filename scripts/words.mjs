// Checks the words of comments and documentation, as a step of `npm run lint`. CONTRIBUTING.md contains the complete list
// of words. This script finds only the words that are wrong in every context.
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { Failure, main, output, root } from "./lib/step.mjs";

/** The patterns to find, and the words to use instead. */
const WORDS = [
  [/\b(?:re)?dial(?:s|l?ed|l?ing)?\b/i, "connect, reconnect"],
  [/\bin vain\b/i, "without effect"],
  [/\bbut for\b/i, "except"],
  [/\bwhoever\b/i, "the client, the caller"],
  [/\bof (?:its|their|one's) own\b/i, "its own, separate"],
  [/\bbelongs? into\b/i, "belongs in"],
  [/\bsent again\b/i, "resent, retried"],
  [/\bso many (?:bytes|samples|seconds|milliseconds|values)\b/i, "the number of ..."],
  // British spelling
  [/\b\w*colour\w*/i, "color"],
  [/\b\w*behaviour\w*/i, "behavior"],
  [/\b(?:favour|honour|neighbour|labour|rumour)\w*/i, "-or"],
  [/\bcancell(?:ed|ing)\b/i, "canceled, canceling"],
  [/\b(?:label|model|signal|travel|channel|tunnel|marshal)l(?:ed|ing)\b/i, "a single l"],
  [
    /\b(?:un)?(?:initial|optim|normal|serial|recogn|organ|synchron|minim|maxim|final|util|general|special|real|summar|sanit)is(?:e[ds]?|er|ing|ation)\b/i,
    "-ize",
  ],
  [/\banalys(?:e[ds]?|ing)\b/i, "analyze"],
  [/\b(?:centre|grey|licence|artefact|catalogue|judgement|learnt|whilst)s?\b/i, "the American spelling"],
];

/** Matches the tags of the sources of protocol facts. The files that match `PUBLIC` must not contain these tags. */
const SOURCE = /\((?:G0|G1|G3|SEED|MCP|BOPS|PY|TP|OS1)\)/;
const PUBLIC = /^(?:core\/src|npm\/src|npm\/README\.md|docs\/reference\.md)/;

/** Patterns for the text of a comment, by file extension. In Markdown, each line is checked completely. */
const SLASHES = /(?:^|\s)(?:\/\/|\/\*|\*(?= |$))(.*)/;
const HASH = /(?:^|\s)#(.*)/;
const COMMENTS = {
  ".rs": SLASHES,
  ".ts": SLASHES,
  ".js": SLASHES,
  ".mjs": SLASHES,
  ".css": SLASHES,
  ".html": /<!--(.*)/,
  ".py": HASH,
  ".toml": HASH,
  ".txt": HASH,
  ".yml": HASH,
  ".md": /(.*)/,
};

/** CONTRIBUTING.md and this file contain the words that they forbid. */
const EXEMPT = /^(?:CONTRIBUTING\.md|scripts\/words\.mjs|.*\/corpus\/.*)$/;

export async function checkWords() {
  const list = await output("git", ["ls-files", "--cached", "--others", "--exclude-standard"]);
  if (list === undefined) return console.log("  skipped: this is not a Git checkout");
  const found = list
    .split("\n")
    .filter((path) => COMMENTS[extname(path)] && !EXEMPT.test(path))
    .flatMap(findWords);
  if (found.length > 0) throw new Failure(`These words should be others (see CONTRIBUTING.md):\n  ${found.join("\n  ")}`);
}

function findWords(path) {
  const comment = COMMENTS[extname(path)];
  const lines = readLines(path);
  return lines.flatMap((line, at) => {
    const text = comment.exec(line)?.[1];
    if (text === undefined) return [];
    // Code in a comment may contain any word.
    const words = text.replace(/`[^`]*`/g, "");
    const wrong = WORDS.filter(([pattern]) => pattern.test(words)).map(
      ([pattern, right]) => `${path}:${at + 1}: "${pattern.exec(words)[0]}" -> ${right}`,
    );
    const source = PUBLIC.test(path) && SOURCE.exec(words)?.[0];
    if (source) wrong.push(`${path}:${at + 1}: "${source}" -> only in docs/protocol.md and \`source:\``);
    return wrong;
  });
}

/** Returns the lines of a file, or no lines if Git lists the file but it is deleted. */
function readLines(path) {
  try {
    return readFileSync(join(root, path), "utf8").split("\n");
  } catch {
    return [];
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) await main(checkWords);
