/**
 * The JavaScript glue that wasm-bindgen writes next to the complete module in `dist/wasm`: a {@link Binding}, and a function that
 * loads it.
 */
import type { Binding, BindingClient, BindingConfig, Log } from "../../binding.js";
import type { ConnectionClient } from "../../screen/glue.js";
import type { NodeHost } from "../host.js";

export function init(input: { module_or_path: WebAssembly.Module }): Promise<WebAssembly.Memory>;
export const kind: Binding["kind"];
export const version: Binding["version"];
export const wavHeader: Binding["wavHeader"];
export const wavEncode: Binding["wavEncode"];
export const level: Binding["level"];
export const Client: new (config: BindingConfig, log?: Log, host?: NodeHost) => BindingClient & ConnectionClient;
