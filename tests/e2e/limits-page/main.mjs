// The page that runs the tests of limits. The test file calls its functions.
import * as sdk from "orgo-sdk";
import { lateness, limits } from "../limits.mjs";

globalThis.runTest = (name, urls) => limits[name]({ sdk, reportsSending: true, ...urls });
globalThis.lateness = (urls, count) => lateness({ sdk, ...urls }, count);
