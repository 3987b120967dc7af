// Tests the live screen in Firefox.
import { startFirefox } from "../support/firefox.mjs";
import { testScreen } from "../support/screen-tests.mjs";

testScreen("Firefox", startFirefox);
