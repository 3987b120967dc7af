// Opens the URL of the dashboard in the user's browser. The URL contains a secret.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasProgram } from "./packages.mjs";
import { root } from "./step.mjs";

const OPENERS = { darwin: "open", linux: "xdg-open" };

/**
 * Opens a URL in the default browser, if the system has a program that does this.
 *
 * Every account of the host can read the arguments of a process. To keep the URL secret, the browser opens a file that
 * redirects to the URL. Only this account can read the file.
 *
 * @param {string} url
 * @returns {(() => void) | undefined} a function that removes the file
 */
export function openBrowser(url) {
  const opener = OPENERS[process.platform];
  if (!opener || !hasProgram(opener)) return undefined;
  // The file is in the project folder because a sandboxed browser, such as a snap, cannot read the system's temporary
  // folder.
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
