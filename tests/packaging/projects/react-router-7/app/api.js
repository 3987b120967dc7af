import { callComputer } from "./lib/server.js";

export const loader = async () => Response.json(await callComputer());
