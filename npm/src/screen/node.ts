// The part of the live screen that a program in Node loads with its first screen.

export { Channel } from "../channel/channel.js";
export { Screen } from "../channel/screen.js";
