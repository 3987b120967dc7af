// The page's side of audio. A page loads it with the first audio channel.

export { play } from "./play.js";
export { openRemote } from "./remote.js";
