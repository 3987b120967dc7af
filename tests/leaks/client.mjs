// The process whose memory is measured. It prints the measurements. It must exit without a call of `process.exit`.
import * as sdk from "orgo-sdk";
import { inParts, KINDS, prepare } from "./load.mjs";

const [port, counts] = process.argv.slice(2).map((text) => JSON.parse(text));

function measure() {
  globalThis.gc();
  return process.memoryUsage.rss();
}

async function flood() {
  const connection = { version: 1, computer_id: "c", connection_url: `http://127.0.0.1:${port}`, password: "p" };
  const terminal = await sdk.Orgo.connect(connection).terminal();
  const before = measure();
  terminal.write("flood");
  // The counters stop increasing when the channel waits for its consumer.
  let last = -1;
  for (let unchanged = 0; unchanged < 10; unchanged = terminal.counters.received === last ? unchanged + 1 : 0) {
    last = terminal.counters.received;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { received, buffered, dropped } = terminal.counters;
  const growth = measure() - before;
  process.send("flooded");
  await new Promise((resolve) => process.once("message", resolve));
  await terminal.close();
  process.disconnect();
  return { received, buffered, dropped, growth };
}

const loads = prepare(sdk, port);
const measured = {};
for (const kind of KINDS) measured[kind] = await inParts(counts[kind], loads[kind], measure);
const flooded = await flood();
console.log(JSON.stringify({ kind: (await sdk.Orgo.bindingInfo()).kind, measured, flooded }));
