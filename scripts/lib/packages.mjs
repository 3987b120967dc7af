// Reads lists of Debian packages, finds the missing packages and installs them.
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { aptWithProgress } from "./progress.mjs";
import { Failure, output, root, run } from "./step.mjs";
import { note } from "./tasks.mjs";

/**
 * Reads a list such as desktop/packages.txt, with one package per line: `NAME [optional] [needs=PROGRAM] # reason`.
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

/** Returns whether a program is in PATH. */
export function hasProgram(name) {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** The apt-get options to wait for up to 5 minutes if another installation is running. */
const WAIT = ["-o", "DPkg::Lock::Timeout=300"];

/**
 * Installs the missing packages. Without root privileges, fails with a message that contains the command to run. If only optional
 * packages are missing, prints their names and continues.
 */
export async function ensurePackages(packages, purpose) {
  const missing = await missingPackages(packages);
  if (missing.length === 0) {
    note("all installed");
    return;
  }
  if (missing.every(({ optional }) => optional)) {
    const names = missing.map(({ name }) => name).join(" ");
    note(`all required packages are installed; optional packages that are missing: ${names}`);
    note("`target/release/orgo-desktop doctor` explains what each is for and how to install it");
    return;
  }
  const names = missing.map(({ name }) => name);
  const update = ["apt-get", "update"];
  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...names];
  if (!hasProgram("apt-get")) {
    const programs = missing.map(({ program, name }) => program ?? name).join(", ");
    throw new Failure(
      `${purpose} needs ${programs}. This system is not Debian: install them with its package manager, then try again.`,
    );
  }
  if (process.getuid?.() !== 0) {
    throw new Failure(
      `${purpose} needs ${names.length} Debian packages that are not installed. Run this command, then try again:\n\n` +
        `  sudo ${update.join(" ")} && sudo ${install.join(" ")}\n`,
    );
  }
  note(`installing ${names.join(" ")}`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // apt-get refuses to install anything until an interrupted installation is completed.
  await run("dpkg", ["--configure", "-a"], { env });
  await run(update[0], ["-q", ...WAIT, ...update.slice(1)], { env });
  await run(...aptWithProgress(["-q", ...WAIT, "-o", "Dpkg::Use-Pty=0", ...install.slice(1)]), { env });
}

async function missingPackages(packages) {
  if (!hasProgram("dpkg-query")) return packages.filter(({ program }) => program && !hasProgram(program));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax of dpkg-query
  const text = await output("dpkg-query", ["--show", "--showformat=${Package} ${db:Status-Status}\\n"]);
  const installed = new Set(
    (text ?? "")
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return packages.filter(({ name }) => !installed.has(name));
}
