// Debian packages: which ones a list names, which of them are missing, and how they are installed.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Failure, output, root, run } from "./step.mjs";

/**
 * Reads a list such as desktop/packages.txt: `NAME [optional] [needs=PROGRAM] # reason`, one a line.
 * @returns {{ name: string, optional: boolean, program?: string }[]}
 */
export function readList(path) {
  return readFileSync(join(root, path), "utf8")
    .split("\n")
    .map((line) => line.split("#")[0].trim().split(/\s+/))
    .filter(([name]) => name)
    .map(([name, ...words]) => ({
      name,
      optional: words.includes("optional"),
      program: words.find((word) => word.startsWith("needs="))?.slice("needs=".length),
    }));
}

/** Whether a program is in PATH. */
export function hasProgram(name) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** Another installation may be at work for a while. */
const WAIT = ["-o", "DPkg::Lock::Timeout=300"];

/** Installs what is missing, or says the command that does. Optional packages alone are named, and stop nothing. */
export async function ensurePackages(packages, purpose) {
  const missing = await missingPackages(packages);
  if (missing.length === 0) {
    console.log("  all there");
    return;
  }
  if (missing.every(({ optional }) => optional)) {
    const names = missing.map(({ name }) => name).join(" ");
    console.log(`  all there, except for optional ones: ${names}`);
    console.log("  `target/release/orgo-desktop doctor` says what each is for, and the command that installs them");
    return;
  }
  const names = missing.map(({ name }) => name);
  const update = ["apt-get", "update"];
  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...names];
  if (!hasProgram("apt-get")) {
    const programs = missing.map(({ program, name }) => program ?? name).join(", ");
    throw new Failure(`${purpose} needs ${programs}. This is no Debian: install them in your system's way and try again.`);
  }
  if (process.getuid?.() !== 0) {
    throw new Failure(
      `${purpose} needs ${names.length} Debian packages that are not installed. Install them with this command, then try again:\n\n` +
        `  sudo ${update.join(" ")} && sudo ${install.join(" ")}\n`,
    );
  }
  console.log(`  installing ${names.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // An installation that was interrupted is finished first, without which there is no other.
  await run("dpkg", ["--configure", "-a"], { env });
  await run(update[0], ["-q", ...WAIT, ...update.slice(1)], { env });
  await run(install[0], ["-q", ...WAIT, "-o", "Dpkg::Use-Pty=0", ...install.slice(1)], { env });
}

async function missingPackages(packages) {
  if (!hasProgram("dpkg-query")) return packages.filter(({ program }) => program && !hasProgram(program));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of dpkg-query
  const text = await output("dpkg-query", ["--show", "--showformat=${Package} ${db:Status-Status}\\n"]);
  const installed = new Set(
    (text ?? "")
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return packages.filter(({ name }) => !installed.has(name));
}
