// The scenarios: tests of the behavior of a computer. They run through each binding, in Node and in a page.
//
// A scenario is a function that takes an environment: the platform, and a running computer.
//
// @typedef {object} Environment
// @property {typeof import("orgo-sdk")} sdk the package
// @property {import("orgo-sdk").OrgoOptions} options the settings for a client of the local desktop
// @property {import("orgo-sdk").Orgo} orgo a client of the local desktop
// @property {import("orgo-sdk").Computer} computer a running computer
// @property {import("orgo-sdk").Workspace} workspace the workspace of the computer
// @property {string} counter the URL of a server that counts requests (support/counter.mjs)
// @property {(image: Uint8Array, type: string) => Promise<Image>} decode decodes an image (support/png.mjs)

import { receivesTone } from "./audio.mjs";
import { reportsCopiedText } from "./clipboard.mjs";
import { runsCommandsAndCode } from "./commands.mjs";
import { opensChannelsWithConnection } from "./connection.mjs";
import { refusesLargeFile, storesFiles, streamsFiles } from "./files.mjs";
import { changesState, endsBlockOfDeletedComputer } from "./life-cycle.mjs";
import { controlsMouse } from "./mouse.mjs";
import {
  doesNotFindUnknownComputer,
  doesNotSendInvalidParameters,
  refusesWrongKey,
  refusesWrongPassword,
  reportsRefusedSampleRate,
} from "./refusals.mjs";
import { sendsOtherRequests } from "./request.mjs";
import { capturesScreen } from "./screen.mjs";
import { startsAndStopsStream } from "./stream.mjs";
import { continuesAfterCanceledStream, controlsShell, reportsExitCode, resizesTerminal } from "./terminal.mjs";
import { controlsWindow } from "./window.mjs";

export const scenarios = {
  "a screenshot shows the whole screen": capturesScreen,
  "a window opens and receives clicks and text": controlsWindow,
  "the mouse can be controlled": controlsMouse,
  "commands and code run": runsCommandsAndCode,
  "a request to a path without an SDK method is sent": sendsOtherRequests,
  "a shell can be controlled": controlsShell,
  "the shell receives the size of the terminal": resizesTerminal,
  "a terminal reports the exit code of the shell": reportsExitCode,
  "output continues in a new stream after a canceled one": continuesAfterCanceledStream,
  "copied text is reported": reportsCopiedText,
  "a tone of 440 Hz is received": receivesTone,
  "files are uploaded, exported, downloaded and deleted": storesFiles,
  "files are uploaded from streams and downloaded as streams": streamsFiles,
  "a file that is too large is refused": refusesLargeFile,
  "a stream starts and stops": startsAndStopsStream,
  "a connection opens channels without an API key": opensChannelsWithConnection,
  "a wrong API key is refused": refusesWrongKey,
  "a wrong password is refused": refusesWrongPassword,
  "a refused sample rate is reported with the reason": reportsRefusedSampleRate,
  "an unknown computer is not found": doesNotFindUnknownComputer,
  "invalid parameters are not sent": doesNotSendInvalidParameters,
  "a computer is created, stopped, started and deleted": changesState,
  "a block ends without an error if its computer is already deleted": endsBlockOfDeletedComputer,
};
