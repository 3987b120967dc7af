// The page that runs the scenarios. The test calls its functions.
import * as sdk from "orgo-sdk";
import { scenarios } from "../../scenarios/index.mjs";
import { makeComputer } from "../../support/world.mjs";
import { decodeImage } from "./image.mjs";
import { playsTone } from "./player.mjs";

const all = { ...scenarios, "a tone of 440 Hz is played": playsTone };
let world;

/** Creates the computer that the scenarios share. Returns the kind of the binding. */
globalThis.prepare = async ({ options, counter }) => {
  const made = await makeComputer(sdk, { ...options, dangerouslyAllowBrowser: true });
  world = { ...made, counter, decode: decodeImage };
  return (await sdk.Orgo.bindingInfo()).kind;
};

globalThis.run = (name) => all[name](world);
