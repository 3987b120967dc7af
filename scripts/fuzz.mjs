// Runs the fuzzers: `npm run fuzz` runs each fuzzer for ten minutes, `npm run fuzz -- SECONDS NAME...` runs the named
// fuzzers for SECONDS each. Saves crashing inputs in `artifacts/` next to the fuzzers, and new corpus files in
// `target/fuzz/`.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { Failure, main, output, root, run, step } from "./lib/step.mjs";
import { ensureCargoFuzz, usePaths } from "./lib/tools.mjs";

/**
 * The fuzzers of each crate. The fuzzers of the desktop run without a sanitizer, because the desktop's parsers are safe
 * Rust, and the build then takes half the time.
 */
const fuzzers = {
  core: ["json", "responses", "parameters", "terminal", "audio", "events", "screen", "screen_decoders"],
  desktop: ["connection", "body", "message", "output", "display", "agent", "audio_server"],
};
const sanitizer = { core: "address", desktop: "none" };
/** The libFuzzer options that report excessive memory or time use as a finding. */
const memoryAndTime = ["-rss_limit_mb=512", "-timeout=60"];
const limits = { display: memoryAndTime, agent: memoryAndTime, audio_server: memoryAndTime };

await main(async () => {
  const [seconds = "600", ...names] = argv.slice(2);
  if (!/^[1-9]\d*$/.test(seconds)) throw new Failure(`SECONDS must be a positive integer, not ${seconds}`);
  const known = Object.values(fuzzers).flat();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Failure(`Unknown fuzzer ${unknown}. Fuzzers: ${known.join(", ")}`);
  usePaths();
  if ((await output("rustup", ["run", "nightly", "rustc", "--version"])) === undefined) {
    throw new Failure("The fuzzers need nightly Rust. Install it: rustup toolchain install nightly --profile minimal");
  }
  await ensureCargoFuzz();
  for (const [crate, own] of Object.entries(fuzzers)) {
    for (const name of own.filter((name) => names.length === 0 || names.includes(name))) {
      await step(`Fuzz: ${crate} ${name}`, () => fuzz(crate, name, seconds));
    }
  }
});

async function fuzz(crate, name, seconds) {
  const corpus = join(root, "target/fuzz", crate, name);
  mkdirSync(corpus, { recursive: true });
  const dictionary = join(root, crate, "fuzz/words.dict");
  const options = [`-max_total_time=${seconds}`, "-max_len=4096", "-print_final_stats=1"];
  options.push(...(limits[name] ?? []));
  if (existsSync(dictionary)) options.push(`-dict=${dictionary}`);
  const target = ["--sanitizer", sanitizer[crate], name, corpus, join(root, crate, "fuzz/corpus", name)];
  await run("cargo", ["+nightly", "fuzz", "run", ...target, "--", ...options], { cwd: join(root, crate) });
}
