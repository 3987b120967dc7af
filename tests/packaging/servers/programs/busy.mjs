import { Orgo } from "orgo-sdk";

/** Opens all channels of the computer of the test, and starts a call that takes longer than the test. */
export async function beBusy() {
  const computer = new Orgo().computer(process.env.ORGO_TEST_COMPUTER);
  const opening = Promise.all([computer.terminal(), computer.events(["file_change"]), computer.audio()]);
  computer.bash("sleep 60").catch(() => {});
  const channels = await opening;
  for (const channel of channels) channel.read().catch(() => {});
}
