/**
 * The JavaScript glue that wasm-pack writes next to the module in `dist/wasm`: a {@link Binding}, and two functions to load it.
 */
import type { Binding, BindingClient, BindingConfig, Log } from "../../binding.js";

/** The possible sources of a WebAssembly module. */
export type InitInput = string | URL | Request | Response | BufferSource | WebAssembly.Module;

export default function init(input?: { module_or_path: InitInput }): Promise<unknown>;
/** Returns the compiled module. */
export function module(): WebAssembly.Module;
export const kind: Binding["kind"];
export const version: Binding["version"];
export const wavHeader: Binding["wavHeader"];
export const wavEncode: Binding["wavEncode"];
export const level: Binding["level"];
export const Client: new (config: BindingConfig, log?: Log, explain?: (url: string, thrown: unknown) => string) => BindingClient;
