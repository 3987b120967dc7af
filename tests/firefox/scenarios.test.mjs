// Runs the scenarios in a page in Firefox.
import { startFirefox } from "../support/firefox.mjs";
import { testScenarios } from "../support/scenario-tests.mjs";

testScenarios("Firefox", startFirefox);
