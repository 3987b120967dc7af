/** The JavaScript glue of the module with the channels. */
import type { BindingConfig, ChannelClient, Log } from "../../binding.js";
import type { ConnectionClient } from "../../screen/glue.js";

export { init, kind, level, version, wavEncode, wavHeader } from "./orgo_wasm.js";
export const Client: new (config: BindingConfig, log?: Log) => ChannelClient & ConnectionClient;
