import { callComputer } from "../../../lib/server.js";

export const GET = async () => Response.json(await callComputer());
