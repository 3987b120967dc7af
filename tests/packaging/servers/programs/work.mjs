/** Uses the main parts of the SDK on the computer of the test, and prints the binding that it used. */
export async function work({ Orgo }) {
  const computer = await useCalls(Orgo);
  const { kind, version, fallback_cause } = await Orgo.bindingInfo();
  if (!process.env.ORGO_TEST_CALLS_ONLY) await Promise.all([useChannels(computer), useScreen(computer, kind)]);
  console.log(`ORGO_RESULT ${JSON.stringify({ kind, version, cause: fallback_cause?.message })}`);
}

async function useCalls(Orgo) {
  const computer = await new Orgo().computers.get(process.env.ORGO_TEST_COMPUTER);
  const { data, width } = await computer.screenshot();
  if (data[1] !== 0x50 || data[2] !== 0x4e || !(width > 0)) throw new Error("the screenshot is not a PNG image");
  const { output } = await computer.bash("echo $((6 * 7))");
  if (output !== "42\n") throw new Error(`bash printed ${JSON.stringify(output)}`);
  return computer;
}

async function useChannels(computer) {
  const [terminal, events, audio] = await Promise.all([
    computer.terminal({ cols: 80, rows: 24 }),
    computer.events(["file_change"]),
    computer.audio(),
  ]);
  terminal.write("echo $((6 * 7))\r");
  for (let text = ""; !/\b42\b/.test(text); ) {
    const read = await terminal.read({ timeout: 30_000 });
    if (read === undefined) throw new Error("the terminal ended");
    text += read;
  }
  const name = `packaging-${Math.random()}`;
  await computer.bash(`touch ~/Desktop/${name} && rm ~/Desktop/${name}`);
  await events.waitFor("file_change", { where: ({ data }) => data.path.endsWith(name), timeout: 30_000 });
  const chunk = await audio.read({ timeout: 30_000 });
  if (!(chunk?.samples.length > 0)) throw new Error("the audio chunk has no samples");
  await Promise.all([terminal.close(), events.close(), audio.close()]);
}

/** Takes an image of the live screen with the addon. Checks the error without it. */
async function useScreen(computer, kind) {
  if (kind === "wasm") {
    const error = await computer.screen().then(
      () => undefined,
      (thrown) => thrown,
    );
    if (!/native addon/.test(error?.message)) throw new Error("without the addon, a screen can be opened", { cause: error });
    return;
  }
  const screen = await computer.screen();
  const { data, width } = await screen.screenshot({}, { timeout: 30_000 });
  if (data[1] !== 0x50 || data[2] !== 0x4e || !(width > 0)) throw new Error("the image of the screen is not a PNG image");
  await screen.close();
}
