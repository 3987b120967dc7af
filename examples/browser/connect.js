import { Orgo } from "orgo-sdk";

/** Fetches a connection from the server of this page. The returned object opens the computer's channels. */
export async function connect() {
  const response = await fetch("/connection");
  if (!response.ok) throw new Error(await response.text());
  return Orgo.connect(await response.json());
}

/** Shows the state of a channel, or the error that the channel failed to open with. */
export function show(element, state) {
  element.textContent =
    state instanceof Error
      ? state.message
      : ({
          connecting: "Connecting…",
          open: "Connected",
          unstable: "Connected, but the server does not respond",
          reconnecting: "Reconnecting…",
        }[state.status] ?? state.cause.message);
}
