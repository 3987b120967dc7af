import { EVENT_TYPES } from "orgo-sdk";
import { connect, show } from "./connect.js";

const list = document.querySelector("#events");
const state = document.querySelector("#state");

try {
  const computer = await connect();
  const events = await computer.events(EVENT_TYPES);
  show(state, events.state);
  events.on("state", (now) => show(state, now));
  for await (const { type, timestamp, data } of events) {
    const item = document.createElement("li");
    item.textContent = `${timestamp} ${type} ${JSON.stringify(data)}`;
    list.prepend(item);
    while (list.childElementCount > 200) list.lastElementChild.remove();
  }
} catch (error) {
  show(state, error);
}
