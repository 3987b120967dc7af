import type { ChannelState, CloseCause } from "orgo-sdk";
import { sentence } from "../api/problem.js";
import type { Tone } from "../ui/dom.js";

/** Describes the state of a channel for the user. */
export function describeState(state: ChannelState): { text: string; tone: Tone } {
  switch (state.status) {
    case "connecting":
      return { text: "Connecting…", tone: "busy" };
    case "open":
      return { text: "Connected", tone: "good" };
    case "unstable":
      return { text: "The computer does not respond. Waiting…", tone: "busy" };
    case "reconnecting":
      return { text: `Reconnecting${inSeconds(state.delay)} (attempt ${state.attempt})…`, tone: "busy" };
    case "closed":
      return {
        text: sentence(state.cause.message),
        tone: state.cause.reason === "normal" || state.cause.reason === "exit" ? "idle" : "bad",
      };
  }
}

/** Returns whether a channel closed because its password is outdated. Restarting a computer changes the password. */
export function hasOldPassword(cause: CloseCause): boolean {
  return cause.reason === "unauthorized";
}

/** Returns whether a channel is connecting or waits for the next attempt to connect. */
export function isDisconnected(state: ChannelState): boolean {
  return state.status === "reconnecting" || state.status === "connecting";
}

function inSeconds(delay: number): string {
  const seconds = Math.round(delay / 1000);
  return seconds === 0 ? "" : ` in ${seconds} s`;
}
