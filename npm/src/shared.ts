// The modules that several scripts of a page import, and that must exist once: the classes of errors are compared by `instanceof`.

export * from "./abort.js";
export * from "./callback.js";
export * from "./deadline.js";
export * from "./errors.js";
export * from "./logger.js";
export * from "./options.js";
