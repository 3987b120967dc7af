// Writes the numbers of instructions of the hot paths to baseline.json.
import { writeFileSync } from "node:fs";
import { build, compiler, count, PATHS } from "./count.mjs";

await build();
const instructions = {};
for (const name of Object.keys(PATHS)) instructions[name] = await count(name);
const content = `${JSON.stringify({ compiler: await compiler(), instructions }, undefined, 2)}\n`;
writeFileSync(new URL("baseline.json", import.meta.url), content);
console.log(content);
