// The page that runs the tests of streams. The test file calls its function.
import * as sdk from "orgo-sdk";
import { streams } from "../streams.mjs";

globalThis.runTest = (name, urls) => streams[name]({ sdk, kind: "page", ...urls });
