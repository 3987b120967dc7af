// The location of the package in CommonJS, see `location.ts`.

import { join } from "node:path";
import type { Target } from "./targets.js";

export const location = () => __filename;

export const sibling = ({ name }: Target) => join(__filename, `../../../orgo-sdk-${name}/orgo.${name}.node`);
