// Substitutes for the classes that are loaded on demand, with the first channel or screen.

import type { ChannelEvents } from "./channel.js";
import type * as ChannelClasses from "./classes.js";
import type * as ScreenClasses from "./screen.js";

type Classes = typeof ChannelClasses & Pick<typeof ScreenClasses, "Screen">;

/** The classes that were loaded so far. */
export const loadedClasses: Partial<Classes> = {};

/** Returns a substitute for a class. Programs use these classes only with `instanceof`. */
function onDemand<Name extends keyof Classes>(name: Name): Classes[Name] {
  const value = (instance: unknown) => {
    const loaded = loadedClasses[name];
    return loaded !== undefined && instance instanceof loaded;
  };
  return Object.defineProperty(class {}, Symbol.hasInstance, { value }) as unknown as Classes[Name];
}

export const AudioStream = /* @__PURE__ */ onDemand("AudioStream");
export type AudioStream = ChannelClasses.AudioStream;
export const Channel = /* @__PURE__ */ onDemand("Channel");
export type Channel<Raw, Item, Events extends ChannelEvents & Record<keyof Events, unknown[]>> = ChannelClasses.Channel<
  Raw,
  Item,
  Events
>;
export const EventStream = /* @__PURE__ */ onDemand("EventStream");
export type EventStream = ChannelClasses.EventStream;
export const Player = /* @__PURE__ */ onDemand("Player");
export type Player = ChannelClasses.Player;
export const Screen = /* @__PURE__ */ onDemand("Screen");
export type Screen = ScreenClasses.Screen;
export const Terminal = /* @__PURE__ */ onDemand("Terminal");
export type Terminal = ChannelClasses.Terminal;
