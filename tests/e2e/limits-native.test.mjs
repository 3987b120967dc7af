import { testLimits } from "./limits.mjs";

testLimits("native");
