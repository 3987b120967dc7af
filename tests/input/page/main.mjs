// The page that writes into terminals. The test calls its function.
import * as sdk from "orgo-sdk";
import * as client from "../client.mjs";

globalThis.act = (name, connection, given) => client[name](sdk, connection, given);
