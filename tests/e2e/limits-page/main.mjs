// The page in which the tests of limits are acted out. The test calls its functions.
import * as sdk from "orgo-sdk";
import { lateness, limits } from "../limits.mjs";

globalThis.limitNames = Object.keys(limits);
globalThis.act = (name, server) => limits[name]({ sdk, server });
globalThis.lateness = (server, count) => lateness({ sdk, server }, count);
