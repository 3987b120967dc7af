// Every scenario by its name: what a computer has to do, told once and acted out through each binding.
//
// A scenario is a function of a world, which is one platform with a computer that runs.
//
// @typedef {object} World
// @property {typeof import("orgo-sdk")} sdk the package
// @property {import("orgo-sdk").OrgoOptions} options the settings of a client of the local desktop
// @property {import("orgo-sdk").Orgo} orgo such a client
// @property {import("orgo-sdk").Computer} computer a computer that runs
// @property {import("orgo-sdk").Workspace} workspace its workspace
// @property {string} counter the URL of a server that counts what reaches it (support/counter.mjs)
// @property {(picture: Uint8Array, type: string) => Promise<Picture>} decode
import { copiedTextIsReported } from "./clipboard.mjs";
import { codeIsRun } from "./commands.mjs";
import { connectionOpensChannels } from "./connection.mjs";
import { filesAreKept, fileThatIsTooLargeIsRefused } from "./files.mjs";
import { livesThroughItsStates } from "./life-cycle.mjs";
import { mouseIsWorked } from "./mouse.mjs";
import {
  badParametersAreNotSent,
  refusedSoundSaysWhy,
  unknownComputerIsNotFound,
  wrongKeyIsRefused,
  wrongPasswordIsRefused,
} from "./refusals.mjs";
import { undeclaredRequestsAreSent } from "./request.mjs";
import { screenshotShowsTheScreen } from "./screen.mjs";
import { toneIsHeard } from "./sound.mjs";
import { streamIsStartedAndStopped } from "./stream.mjs";
import { shellEndsWithItsCode, shellIsWorked, sizeReachesTheShell } from "./terminal.mjs";
import { windowIsWorked } from "./window.mjs";

export const scenarios = {
  "a screenshot shows the whole screen": screenshotShowsTheScreen,
  "a program's window opens, is clicked and typed into": windowIsWorked,
  "the mouse is worked": mouseIsWorked,
  "commands and code are run": codeIsRun,
  "a request to a path without a method is sent": undeclaredRequestsAreSent,
  "a shell is worked": shellIsWorked,
  "the size of a terminal reaches the shell": sizeReachesTheShell,
  "a shell ends with its exit code": shellEndsWithItsCode,
  "copied text is reported": copiedTextIsReported,
  "a tone of 440 Hz is heard": toneIsHeard,
  "files are uploaded, exported, fetched and deleted": filesAreKept,
  "a file that is too large is refused": fileThatIsTooLargeIsRefused,
  "a stream is started and stopped": streamIsStartedAndStopped,
  "a connection opens channels without a key": connectionOpensChannels,
  "a wrong key is refused": wrongKeyIsRefused,
  "a wrong password is refused": wrongPasswordIsRefused,
  "sound at a rate that the computer refuses says why": refusedSoundSaysWhy,
  "an unknown computer is not found": unknownComputerIsNotFound,
  "bad parameters are not sent": badParametersAreNotSent,
  "a computer is created, stopped, started and deleted": livesThroughItsStates,
};
