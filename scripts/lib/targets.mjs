// The platforms that have a native addon. The package contains the list, because its loader needs it too.
export * from "../../npm/src/bindings/targets.js";

/** Returns the file name of Cargo's output for a target's addon. */
export const addonLibrary = ({ os }) => ({ linux: "liborgo_node.so", darwin: "liborgo_node.dylib", win32: "orgo_node.dll" })[os];
