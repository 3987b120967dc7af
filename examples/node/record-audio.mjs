// Records a computer's audio to a WAV file.
//
//   ORGO_API_KEY=sk_live_... node record-audio.mjs [COMPUTER_ID [SECONDS [FILE]]]
import { writeFile } from "node:fs/promises";
import { Orgo } from "orgo-sdk";
import { findComputer } from "./computer.mjs";

const [id, seconds = "10", file = "recording.wav"] = process.argv.slice(2);

const computer = await findComputer(new Orgo(), id);
const audio = await computer.audio();
try {
  console.log(`Recording ${seconds} s`);
  await writeFile(file, audio.record({ duration: Number(seconds) }));
  const { delivered, dropped } = audio.stats;
  console.log(`Saved ${delivered} samples to ${file}; ${dropped} samples were dropped`);
} finally {
  await audio.close();
}
