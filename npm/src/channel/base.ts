// What the channels of a page have in common.

export * from "../emitter.js";
export * from "./channel.js";
export * from "./input.js";
