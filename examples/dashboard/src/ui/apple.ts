/** Whether it is an Apple computer, where Command is what Control is elsewhere and Option writes signs. */
export const APPLE = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? "");
