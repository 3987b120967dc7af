import { callComputer } from "../../server.js";

export const GET = async () => Response.json(await callComputer());
