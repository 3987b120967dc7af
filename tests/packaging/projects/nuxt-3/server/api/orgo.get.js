import { callComputer } from "~~/lib/server.js";

export default defineEventHandler(() => callComputer());
