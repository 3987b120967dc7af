import { testLimits } from "./limits-run.mjs";

testLimits("wasm");
