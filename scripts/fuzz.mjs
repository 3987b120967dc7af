// Fuzzes: `npm run fuzz` gives every fuzzer ten minutes, `npm run fuzz -- SECONDS NAME...` some of them so long. What
// they find lies in `artifacts/` beside them, what they learn in `target/fuzz/`.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { Failure, main, output, root, run, step } from "./lib/step.mjs";
import { ensureCargoFuzz, usePaths } from "./lib/tools.mjs";

/** The fuzzers of each crate. The desktop's have no sanitizer: its parsing is safe Rust, and the build half as long. */
const fuzzers = {
  core: ["json", "answers", "parameters", "terminal", "audio", "events"],
  desktop: ["connection", "body", "message", "output", "display", "agent", "audio_server"],
};
const sanitizer = { core: "address", desktop: "none" };
/** Limits of memory and time that are a part of what a fuzzer holds to. */
const memoryAndTime = ["-rss_limit_mb=512", "-timeout=60"];
const limits = { display: memoryAndTime, agent: memoryAndTime, audio_server: memoryAndTime };

await main(async () => {
  const [seconds = "600", ...names] = argv.slice(2);
  if (!/^[1-9]\d*$/.test(seconds)) throw new Failure(`SECONDS is a number, not ${seconds}`);
  const known = Object.values(fuzzers).flat();
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Failure(`There is no fuzzer ${unknown}, only ${known.join(", ")}`);
  usePaths();
  if ((await output("rustup", ["run", "nightly", "rustc", "--version"])) === undefined) {
    throw new Failure("Fuzzers need nightly Rust: rustup toolchain install nightly --profile minimal");
  }
  await ensureCargoFuzz();
  for (const [crate, own] of Object.entries(fuzzers)) {
    for (const name of own.filter((name) => names.length === 0 || names.includes(name))) {
      await step(`Fuzz: ${crate} ${name}`, () => fuzz(crate, name, seconds));
    }
  }
});

async function fuzz(crate, name, seconds) {
  const learnt = join(root, "target/fuzz", crate, name);
  mkdirSync(learnt, { recursive: true });
  const words = join(root, crate, "fuzz/words.dict");
  const options = [`-max_total_time=${seconds}`, "-max_len=4096", "-print_final_stats=1"];
  options.push(...(limits[name] ?? []));
  if (existsSync(words)) options.push(`-dict=${words}`);
  const target = ["--sanitizer", sanitizer[crate], name, learnt, join(root, crate, "fuzz/corpus", name)];
  await run("cargo", ["+nightly", "fuzz", "run", ...target, "--", ...options], { cwd: join(root, crate) });
}
