// Runs in the page of each project. Uses everything that the package loads on demand, with a connection to a computer.
import { AudioStream, Channel, EventStream, Orgo, Player, Terminal } from "orgo-sdk";

/**
 * Opens a terminal, an event channel and audio.
 *
 * @param connection the result of `Computer.connection()`
 * @returns {Promise<object>} what the package reports about itself
 */
export async function check(connection, { play = true } = {}) {
  const { kind, fallback_cause } = await Orgo.bindingInfo();
  const fallback = fallback_cause?.message;
  const computer = Orgo.connect(connection);
  const token = `copied-${Math.random()}`;
  if (computer instanceof Channel) throw new Error("before its class is loaded, nothing can be a Channel");

  const events = await computer.events(["clipboard"]);
  const terminal = await computer.terminal();
  for (const [one, itsClass, otherClass] of [
    [events, EventStream, Terminal],
    [terminal, Terminal, AudioStream],
  ]) {
    if (!(one instanceof itsClass && one instanceof Channel) || one instanceof otherClass)
      throw new Error(`${itsClass} is wrong`);
  }
  terminal.write(`echo $((6*7)); printf ${token} | xclip -selection clipboard >/dev/null 2>&1\r`);
  let output = "";
  while (!/^42\r?$/m.test(output)) output += await terminal.read({ timeout: 20_000 });
  await events.waitFor("clipboard", { where: ({ data }) => data.content === token, timeout: 20_000 });
  await terminal.close();
  await events.close();

  const audio = await computer.audio();
  if (!(audio instanceof AudioStream)) throw new Error("the audio is not an AudioStream");
  if (!play) {
    const { samples } = await audio.read({ timeout: 20_000 });
    await audio.close();
    return { kind, fallback, samples: samples.length > 0 };
  }
  const player = await audio.play();
  if (!(player instanceof Player)) throw new Error("the player is not a Player");
  const deadline = Date.now() + 20_000;
  while (player.state !== "playing") {
    if (Date.now() > deadline) throw new Error(`the player is ${player.state} after 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { transport } = player;
  await audio.close();
  return { kind, fallback, transport };
}

/** Returns the error for an API key in a page. */
export function useKey() {
  try {
    new Orgo({ apiKey: "sk_live_x" });
  } catch ({ name, field }) {
    return { name, field };
  }
}

/** Makes the functions available to the test. */
export function publish() {
  Object.assign(globalThis, { check, useKey });
}
