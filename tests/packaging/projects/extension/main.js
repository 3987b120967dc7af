// Publishes functions that use the package in a page of the extension, and in its background.
import "./files.js";
import { check, useKey } from "./check.js";

async function checkBoth(connection) {
  const { error, samples, screen } = await chrome.runtime.sendMessage(connection);
  if (error !== undefined || !samples || screen !== "none") throw new Error(`in the background: ${error}`);
  return check(connection);
}

Object.assign(globalThis, { check: checkBoth, useKey });
