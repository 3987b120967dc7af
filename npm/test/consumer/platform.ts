// Code that needs the types of Node or of the DOM.
import { type AudioStream, type CallOptions, Orgo, type Terminal } from "orgo-sdk";

export async function stream(terminal: Terminal, audio: AudioStream): Promise<string> {
  const options: CallOptions = { signal: AbortSignal.timeout(5) };
  await new Orgo({ logger: console }).workspaces.list(options);
  await new Orgo().files.upload({ workspace_id: "w", file: new Blob(["x"]), name: "x" });
  const { size } = new Blob(["x"]);
  await new Orgo().files.upload({ workspace_id: "w", file: new Blob(["x"]).stream(), name: "x", size });
  await new Orgo()
    .computer("c")
    .files.upload({ path: new URL("file:///x") }, {}, { onProgress: ({ loaded, total }) => loaded / total });
  const content: ReadableStream<Uint8Array> = await new Orgo().files.stream("f");
  await new Response(content).arrayBuffer();
  const response = new Response(audio.record());
  const piped: ReadableStream<string> = terminal.readable;
  await piped.pipeTo(terminal.writable);
  return response.text();
}
