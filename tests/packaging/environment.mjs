// The parts that all projects of a test file share: a local desktop with one running computer, and Chromium.
import * as sdk from "orgo-sdk";
import { startChromium } from "../support/chromium.mjs";
import { createComputer } from "../support/computer.mjs";
import { startDesktop } from "../support/desktop.mjs";

/**
 * @returns {Promise<Environment>} `env` are the variables that select the computer for code on a server; `connection` is
 *   the connection for code in a page
 */
export async function startEnvironment({ browser: needsBrowser = false, allowOrigins } = {}) {
  const desktop = await startDesktop({ allowOrigins });
  let browser;
  try {
    const { computer } = await createComputer(sdk, desktop.options);
    if (needsBrowser) browser = await startChromium();
    const { apiKey, baseUrl, realtimeUrl } = desktop.options;
    const selected = { ORGO_API_KEY: apiKey, ORGO_BASE_URL: baseUrl, ORGO_REALTIME_URL: realtimeUrl };
    return {
      computer,
      browser,
      connection: (await computer.connection()).toJSON(),
      env: { ...selected, ORGO_TEST_COMPUTER: computer.id },
      async close() {
        await browser?.close();
        await desktop.stop();
      },
    };
  } catch (error) {
    await browser?.close();
    await desktop.stop();
    throw error;
  }
}
