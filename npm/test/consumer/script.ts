// Code that needs the types of Node.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { AudioStream, Terminal } from "orgo-sdk";

export async function save(audio: AudioStream, terminal: Terminal): Promise<void> {
  await writeFile("audio.wav", audio.record({ duration: 5 }));
  await pipeline(Readable.fromWeb(audio.record()), createWriteStream("audio.wav"));
  const pcm: Readable = audio.pcmReadable({ duration: 5 });
  pcm.pipe(spawn("cat").stdin);
  await pipeline(terminal, createWriteStream("log"));
}
