// Code that needs the types of Node or of the DOM.
import { type AudioStream, type CallOptions, Orgo, type Terminal } from "orgo-sdk";

export async function stream(terminal: Terminal, audio: AudioStream): Promise<string> {
  const options: CallOptions = { signal: AbortSignal.timeout(5) };
  await new Orgo({ logger: console }).workspaces.list(options);
  await new Orgo().files.upload({ workspace_id: "w", file: new Blob(["x"]), name: "x" });
  const response = new Response(audio.record());
  const piped: ReadableStream<string> = terminal.readable;
  await piped.pipeTo(terminal.writable);
  return response.text();
}
