// Generates desktop/src/screen/keyboard/keysyms.txt, the names of the X11 keysyms, from the headers of Debian's x11proto-dev:
// `node scripts/keysyms.mjs [FOLDER]`. FOLDER contains keysymdef.h and XF86keysym.h.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { root } from "./lib/step.mjs";

const folder = argv[2] ?? "/usr/include/X11";
/** The offset that the macro `_EVDEVK` in XF86keysym.h adds to a Linux key code. */
const KERNEL = 0x1008_1000;
/** Matches a keysym and the character in its comment. A character in parentheses or angle brackets is not exact. */
const X = /^#define XK_(\w+)\s+0x([0-9a-fA-F]+)(?:\s*\/\*\s*U\+([0-9A-F]{4,6}) )?/gm;
const XF86 = /^#define XF86XK_(\w+)\s+(?:0x([0-9a-fA-F]+)|_EVDEVK\(0x([0-9a-fA-F]+)\))/gm;

const lines = [];
const add = (name, keysym, character) =>
  lines.push([name, keysym.toString(16), ...(character ? [character.toLowerCase()] : [])].join(" "));
for (const [, name, keysym, character] of readFileSync(join(folder, "keysymdef.h"), "utf8").matchAll(X)) {
  add(name, parseInt(keysym, 16), character);
}
for (const [, name, keysym, kernel] of readFileSync(join(folder, "XF86keysym.h"), "utf8").matchAll(XF86)) {
  add(`XF86${name}`, keysym ? parseInt(keysym, 16) : KERNEL + parseInt(kernel, 16));
}
writeFileSync(join(root, "desktop/src/screen/keyboard/keysyms.txt"), `${lines.join("\n")}\n`);
