import { testSecrets } from "./run.mjs";

testSecrets("wasm");
