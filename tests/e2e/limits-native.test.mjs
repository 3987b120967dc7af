import { testLimits } from "./limits-run.mjs";

testLimits("native");
