// The page that writes into terminals. The test file calls the function of this page.
import * as sdk from "orgo-sdk";
import * as client from "../client.mjs";

globalThis.run = (name, connection, params) => client[name](sdk, connection, params);
