/** The JavaScript glue of the module of the screen. */
import type { Binding } from "../../binding.js";
import type { ScreenGlue } from "../../screen/glue.js";

export const init: ScreenGlue["init"];
export const kind: Binding["kind"];
export const version: Binding["version"];
export const Screen: ScreenGlue["Screen"];
