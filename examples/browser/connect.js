import { Orgo } from "orgo-sdk";

/** The channels of the computer that this page's server gives a connection to. */
export async function connect() {
  const answer = await fetch("/connection");
  if (!answer.ok) throw new Error(await answer.text());
  return Orgo.connect(await answer.json());
}

/** Shows the state of a channel, or why there is none, in words. */
export function show(element, state) {
  element.textContent =
    state instanceof Error
      ? state.message
      : ({ connecting: "connecting …", open: "connected", unstable: "connected, but silent", waiting: "connecting again …" }[
          state.status
        ] ?? state.cause.message);
}
