import type { ChannelState } from "orgo-sdk";
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
    case "waiting":
      return { text: `Connection lost. Try ${state.attempt} in ${(state.delay / 1000).toFixed(1)} s…`, tone: "busy" };
    case "closed":
      return {
        text: state.cause.message,
        tone: state.cause.reason === "normal" || state.cause.reason === "exit" ? "idle" : "bad",
      };
  }
}
