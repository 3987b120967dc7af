import { equal, ok } from "./check.mjs";
import { Transcript } from "./transcript.mjs";

export async function opensChannelsWithConnection({ sdk, options, computer }) {
  // A server sends this JSON to a page.
  const sent = JSON.stringify(await computer.connection());
  ok(!sent.includes(options.apiKey), "the connection contains the API key");
  const connected = sdk.Orgo.connect(JSON.parse(sent));
  equal(connected.id, computer.id, "the computer");
  const terminal = await connected.terminal();
  try {
    await new Transcript(terminal).run("echo $((6*7))", /^42\r?$/m);
  } finally {
    await terminal.close();
  }
}
