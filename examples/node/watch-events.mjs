// Prints the events of a computer's desktop until Ctrl-C.
//
//   ORGO_API_KEY=sk_live_... node watch-events.mjs [COMPUTER_ID [EVENT_TYPE...]]
import { EVENT_TYPES, Orgo } from "orgo-sdk";
import { findComputer } from "./computer.mjs";

const [id, ...types] = process.argv.slice(2);

const computer = await findComputer(new Orgo(), id);
const events = await computer.events(types.length > 0 ? types : EVENT_TYPES);
events.on("gap", () => console.warn("Some events may be missing here"));
events.on("error", (message) => console.warn(message));
process.once("SIGINT", () => events.close());

for await (const { type, timestamp, data } of events) {
  console.log(timestamp, type, JSON.stringify(data));
}
