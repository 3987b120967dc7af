// The platforms that have a native addon. The package contains the list, because its loader needs it too.
export * from "../../npm/src/bindings/targets.js";
