/** The JavaScript glue of the module with the channels, and the URL of the module, so that bundlers load neither before it is needed. */
export * from "./orgo_channels.js";
/** Returns the URL of the module. Throws if a bundler has removed the URL of the script. */
export function moduleUrl(): URL;
