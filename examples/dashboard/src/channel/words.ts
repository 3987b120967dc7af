import type { ChannelState, CloseCause } from "orgo-sdk";
import { sentence } from "../api/problem.js";
import type { Tone } from "../ui/dom.js";

/** A channel's state in words. */
export function channelWords(state: ChannelState): { text: string; tone: Tone } {
  switch (state.status) {
    case "connecting":
      return { text: "Connecting…", tone: "busy" };
    case "open":
      return { text: "Connected", tone: "good" };
    case "unstable":
      return { text: "The line is silent; waiting for it…", tone: "busy" };
    case "reconnecting":
      return { text: `Connection lost. Try ${state.attempt}${inSeconds(state.delay)}…`, tone: "busy" };
    case "closed":
      return {
        text: sentence(state.cause.message),
        tone: state.cause.reason === "normal" || state.cause.reason === "exit" ? "idle" : "bad",
      };
  }
}

/** Whether a channel ended because the computer restarted, which changes its password: a new one can be opened. */
export function isOutdated(cause: CloseCause): boolean {
  return cause.reason === "unauthorized";
}

/** Whether a channel waits before it connects again, or tries to. */
export function isBroken(state: ChannelState): boolean {
  return state.status === "reconnecting" || state.status === "connecting";
}

function inSeconds(delay: number): string {
  const seconds = Math.round(delay / 1000);
  return seconds === 0 ? "" : ` in ${seconds} s`;
}
