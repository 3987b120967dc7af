// Runs in the server of each project: makes calls to a computer. The environment variables select the computer.
import { Orgo } from "orgo-sdk";

export async function callComputer(environment = process.env) {
  try {
    const orgo = new Orgo({ apiKey: environment.ORGO_API_KEY, baseUrl: environment.ORGO_BASE_URL });
    const { kind, fallback_cause } = await Orgo.bindingInfo();
    const computer = orgo.computer(environment.ORGO_TEST_COMPUTER);
    const { output } = await computer.bash("echo $((6*7))");
    const { data, width, height } = await computer.screenshot();
    return { kind, cause: fallback_cause?.message, output, size: [width, height], bytes: data.length > 100 };
  } catch (error) {
    return { error: error.stack };
  }
}
