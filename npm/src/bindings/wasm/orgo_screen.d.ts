/** The JavaScript glue of the module of the screen. */
import type { ScreenGlue } from "../../screen/glue.js";

export const init: ScreenGlue["init"];
export const kind: ScreenGlue["kind"];
export const version: ScreenGlue["version"];
export const moduleMemory: ScreenGlue["moduleMemory"];
export const Client: ScreenGlue["Client"];
export const Mirror: ScreenGlue["Mirror"];
