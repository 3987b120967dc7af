// Writes a PNG whenever the screen has changed and then settled, until Ctrl-C: screen-1.png, screen-2.png and so on.
//
//   ORGO_API_KEY=sk_live_... node watch-screen.mjs [COMPUTER_ID [QUIET_MILLISECONDS]]
import { writeFile } from "node:fs/promises";
import { ChannelClosedError, Orgo } from "orgo-sdk";
import { findComputer } from "./computer.mjs";

const [id, quiet = "500"] = process.argv.slice(2);

const computer = await findComputer(new Orgo(), id);
// For viewing only, so this script cannot disturb anyone who uses the computer.
const screen = await computer.screen({ view_only: true });
screen.on("error", (message) => console.warn(message));
process.once("SIGINT", () => screen.close());

let count = 0;
let last = new Uint8Array();
try {
  for await (const _ of screen.damage()) {
    // A clock or a blinking caret would keep the screen from settling: pass its rectangle in `ignore`.
    await screen.settled({ quiet: Number(quiet) });
    const { data, width, height } = await screen.screenshot();
    // The changes during the wait are reported next, but the image already contains them.
    if (Buffer.compare(data, last) === 0) continue;
    last = data;
    count += 1;
    await writeFile(`screen-${count}.png`, data);
    console.log(`screen-${count}.png: ${width}x${height}, ${data.length} bytes`);
  }
} catch (error) {
  // Ctrl-C closes the screen during a wait.
  if (!(error instanceof ChannelClosedError && error.cause.reason === "normal")) throw error;
}
