import { equal, ok } from "./check.mjs";
import { Transcript } from "./transcript.mjs";

export async function connectionOpensChannels({ sdk, options, computer }) {
  // What a server sends to a page.
  const sent = JSON.stringify(await computer.connection());
  ok(!sent.includes(options.apiKey), "the connection holds the API key");
  const connected = sdk.Orgo.connect(JSON.parse(sent));
  equal(connected.id, computer.id, "the computer");
  const terminal = await connected.terminal();
  try {
    await new Transcript(terminal).say("echo $((6*7))", /^42\r?$/m);
  } finally {
    await terminal.close();
  }
}
