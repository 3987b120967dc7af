// The classes of the channels except the screen, and of the audio player. A page loads them with its first channel.

export { Player } from "../audio/player.js";
export { AudioStream } from "./audio.js";
export { Channel } from "./channel.js";
export { EventStream } from "./events.js";
export { Terminal } from "./terminal.js";
