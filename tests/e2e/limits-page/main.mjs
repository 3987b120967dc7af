// The page in which the tests of limits are acted out. The test calls its functions.
import * as sdk from "orgo-sdk";
import { lateness, limits } from "../limits.mjs";

globalThis.limitNames = Object.keys(limits);
globalThis.act = (name, places) => limits[name]({ sdk, seesSending: true, ...places });
globalThis.lateness = (places, count) => lateness({ sdk, ...places }, count);
