// Runs the scenarios in a page in WebKit.
import { testScenarios } from "../support/scenario-tests.mjs";
import { startWebKit } from "../support/webkit.mjs";

testScenarios("WebKit", startWebKit);
