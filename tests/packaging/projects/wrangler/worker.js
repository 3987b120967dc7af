import { callComputer } from "./lib/server.js";

export default {
  fetch: async (_request, environment) => Response.json(await callComputer(environment)),
};
