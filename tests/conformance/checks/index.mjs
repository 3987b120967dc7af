// What the documented protocol promises, each as a check of its own: what is done, what docs/protocol.md says, and whether
// it is so.
import { access } from "./access.mjs";
import { actions } from "./actions.mjs";
import { audio } from "./audio.mjs";
import { channels } from "./channels.mjs";
import { commands } from "./commands.mjs";
import { computers } from "./computers.mjs";
import { events, idlenessBegins, idlenessEnds } from "./events.mjs";
import { files } from "./files.mjs";
import { lifeCycle } from "./life-cycle.mjs";
import { screenshots } from "./screenshots.mjs";
import { sizes } from "./sizes.mjs";
import { streams } from "./streams.mjs";
import { terminal } from "./terminal.mjs";
import { workspaces } from "./workspaces.mjs";

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string} source the tags of docs/protocol.md that it is known from
 * @property {"connection" | "deadConnection"} [needs] what only the owner of the account can say
 * @property {(wire: import("../wire.mjs").Wire, state: any) => Promise<void>} run
 */

/**
 * In the order of their running: later ones use what earlier ones made.
 *
 * @type {Check[]}
 */
export const checks = [
  ...access,
  ...workspaces,
  ...computers,
  ...sizes,
  ...actions,
  idlenessBegins,
  ...screenshots,
  ...commands,
  ...files,
  ...streams,
  ...channels,
  ...terminal,
  ...audio,
  idlenessEnds,
  ...events,
  ...lifeCycle,
];
