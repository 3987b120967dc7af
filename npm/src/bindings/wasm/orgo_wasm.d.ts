/** The glue that wasm-pack writes beside the module, as far as it is used. It lies there in `dist/wasm`. */
import type { BindingClient, BindingConfig, Log } from "../../binding.js";

/** What a module can be compiled from. */
export type InitInput = string | URL | Request | Response | BufferSource | WebAssembly.Module;

export default function init(input?: { module_or_path: InitInput }): Promise<unknown>;
/** The module, once it is compiled. */
export function module(): WebAssembly.Module;
export function version(): string;
export const Client: new (config: BindingConfig, log?: Log, explain?: (url: string, thrown: unknown) => string) => BindingClient;
export function wavHeader(sample_rate: number, channels: number): Uint8Array;
export function wavEncode(samples: Float32Array): Uint8Array;
export function level(samples: Float32Array): Float32Array;
