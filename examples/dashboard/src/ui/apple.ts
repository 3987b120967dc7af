/** Whether the browser runs on an Apple device. There, Command replaces Control, and Option produces special characters. */
export const APPLE = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? "");
