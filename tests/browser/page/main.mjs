// The page in which the scenarios are acted out. The test calls its two functions.
import * as sdk from "orgo-sdk";
import { scenarios } from "../../scenarios/index.mjs";
import { makeComputer } from "../../support/world.mjs";
import { decodePicture } from "./picture.mjs";
import { toneIsPlayed } from "./player.mjs";

const acts = { ...scenarios, "a tone of 440 Hz is played": toneIsPlayed };
let world;

globalThis.scenarioNames = Object.keys(acts);

/** Makes the computer that the scenarios share; returns which binding works it. */
globalThis.prepare = async ({ options, counter }) => {
  const made = await makeComputer(sdk, { ...options, dangerouslyAllowBrowser: true });
  world = { ...made, counter, decode: decodePicture };
  return (await sdk.Orgo.bindingInfo()).kind;
};

globalThis.act = (name) => acts[name](world);
