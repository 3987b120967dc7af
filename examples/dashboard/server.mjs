import { main } from "./server/main.mjs";

await main();
