/**
 * The JavaScript glue for pages. It also contains the sockets of pages and the URL of the module, so that bundlers load neither
 * before it is needed.
 */
export { openSocket } from "../sockets.js";
export * from "./orgo_wasm.js";
/** Returns the URL of the module. Throws if a bundler has removed the URL of the script. */
export function moduleUrl(): URL;
