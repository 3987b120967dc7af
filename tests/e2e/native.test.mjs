import { runScenarios } from "./run.mjs";

runScenarios("native");
