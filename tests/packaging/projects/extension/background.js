import "./files.js";
import { check } from "./check.js";

chrome.runtime.onMessage.addListener((connection, _sender, respond) => {
  check(connection, { play: false }).then(respond, ({ stack }) => respond({ error: stack }));
  return true;
});
