// Tests the live screen in WebKit.
import { testScreen } from "../support/screen-tests.mjs";
import { startWebKit } from "../support/webkit.mjs";

testScreen("WebKit", startWebKit);
