// The worker that owns a screen: the socket, the decoder and the canvases, so that a busy main thread does not delay them. The
// build bundles it into one file without imports.

import * as channels from "../bindings/wasm/orgo_channels.js";
import * as screen from "../bindings/wasm/orgo_screen.js";
import * as complete from "../bindings/wasm/orgo_wasm.js";
import { ScreenHost } from "./host.js";
import type { FromHost, ToHost } from "./messages.js";

/** The time after the end of a screen for which the browser sends its last messages, in milliseconds. */
const GRACE = 1000;

/** Whether this script supports the complete module too, or only the module with the channels, which most pages use. */
declare const WITH_COMPLETE: boolean;

const post = (message: FromHost, transfer: Transferable[] = []) => postMessage(message, { transfer });
// Only the used exports, so that the bundle does not contain the others.
const host = new ScreenHost(
  { init: screen.init, Screen: screen.Screen },
  (name) =>
    WITH_COMPLETE && name === "wasm"
      ? { init: complete.init, Client: complete.Client }
      : { init: channels.init, Client: channels.Client },
  post,
  () => setTimeout(close, GRACE),
);

addEventListener("message", ({ data }: MessageEvent<ToHost>) => host.receive(data));
post({ type: "ready" });
