// All checks of the documented protocol (docs/protocol.md). Each check makes calls and compares the results with one
// documented behavior.
import { access } from "./access.mjs";
import { actions } from "./actions.mjs";
import { audio } from "./audio.mjs";
import { channels } from "./channels.mjs";
import { commands } from "./commands.mjs";
import { computers } from "./computers.mjs";
import { events, idleBegins, idleEnds } from "./events.mjs";
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
 * @property {string} source the sources of the documented behavior, by their tags in docs/protocol.md
 * @property {"connection" | "deadConnection"} [needs] a setting that only the owner of the account can provide
 * @property {(wire: import("../wire.mjs").Wire, state: any) => Promise<void>} run
 */

/**
 * The checks in the order in which they run. Later checks use objects that earlier checks create.
 *
 * @type {Check[]}
 */
export const checks = [
  ...access,
  ...workspaces,
  ...computers,
  ...sizes,
  ...actions,
  idleBegins,
  ...screenshots,
  ...commands,
  ...files,
  ...streams,
  ...channels,
  ...terminal,
  ...audio,
  idleEnds,
  ...events,
  ...lifeCycle,
];
