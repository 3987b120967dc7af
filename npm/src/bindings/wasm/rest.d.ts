/** The JavaScript glue of the module with the REST calls, and the URL of the module. */
import type { BindingConfig, Log, RestClient } from "../../binding.js";

export { moduleUrl } from "./channels.js";
export { init, kind, version } from "./orgo_wasm.js";
export const Client: new (config: BindingConfig, log?: Log) => RestClient;
