// Opens an address with a secret in it in the user's browser.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasProgram } from "./packages.mjs";
import { root } from "./step.mjs";

const OPENERS = { darwin: "open", linux: "xdg-open" };

/**
 * Opens an address, if the system has a program for that. Every account of the host can read the arguments of a
 * process, those of a browser too. So the browser opens a file that leads to the address, and that only this account
 * can read.
 *
 * @param {string} url
 * @returns {(() => void) | undefined} removes the file
 */
export function openBrowser(url) {
  const opener = OPENERS[process.platform];
  if (!opener || !hasProgram(opener)) return undefined;
  // In the project, since a browser in a sandbox, such as a snap, cannot read the system's folder for temporary files.
  const parent = join(root, "target");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "open-"));
  const file = join(folder, "dashboard.html");
  writeFileSync(file, redirect(url), { mode: 0o600 });
  spawn(opener, [file], { stdio: "ignore", detached: true })
    .once("error", () => {})
    .unref();
  return () => rmSync(folder, { recursive: true, force: true });
}

function redirect(url) {
  return `<!doctype html>
<meta charset="utf-8" />
<meta name="referrer" content="no-referrer" />
<meta http-equiv="refresh" content="0; url=${url}" />
<title>Orgo dashboard</title>
`;
}
