import { runScenarios } from "./run.mjs";

runScenarios("wasm");
