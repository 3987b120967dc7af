// Generates docs/faults.md.
import { writeFileSync } from "node:fs";
import { FILE, page } from "./table.mjs";

writeFileSync(FILE, page());
