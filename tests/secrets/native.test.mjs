import { testSecrets } from "./run.mjs";

testSecrets("native");
