// Runs in the page of each project. Uses everything that the package loads on demand, with a connection to a computer.
import { AudioStream, Channel, EventStream, Orgo, Player, Screen, Terminal } from "orgo-sdk";

/**
 * Opens a terminal, an event channel, audio and the live screen.
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
    return { kind, fallback, samples: samples.length > 0, screen: await checkScreen(computer) };
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
  return { kind, fallback, transport, screen: await checkScreen(computer) };
}

/** Opens the live screen, and shows it in the page if there is one. Returns the thread that draws it. */
async function checkScreen(computer) {
  const screen = await computer.screen();
  if (!(screen instanceof Screen && screen instanceof Channel) || screen instanceof Terminal)
    throw new Error("the screen is not a Screen");
  const [image, file] = await Promise.all([
    screen.screenshot({ format: "rgba" }, { timeout: 20_000 }),
    screen.screenshot({}, { timeout: 20_000 }),
  ]);
  if (String(file.data.subarray(1, 4)) !== "80,78,71") throw new Error("the image of the screen is not a PNG file");
  const thread = typeof document === "undefined" ? "none" : await checkView(screen, image);
  await screen.close();
  return thread;
}

/** Shows the screen in an element until its pixels are drawn. */
async function checkView(screen, { width, height, data }) {
  const element = document.createElement("div");
  Object.assign(element.style, { position: "fixed", inset: "0" });
  document.body.append(element);
  const view = screen.attach(element);
  const canvas = element.querySelector("canvas");
  const copy = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  const [x, y] = [width / 2, height / 2];
  const expected = String(data.subarray((y * width + x) * 4, (y * width + x) * 4 + 3));
  if (expected === "0,0,0") throw new Error("the middle of the screen is black, like a canvas without a screen");
  const deadline = Date.now() + 20_000;
  for (let pixel; pixel !== expected; ) {
    if (Date.now() > deadline) throw new Error(`the middle of the view is ${pixel}, not ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    copy.drawImage(canvas, 0, 0);
    pixel = String(copy.getImageData(x, y, 1, 1).data.subarray(0, 3));
  }
  view.detach();
  element.remove();
  try {
    canvas.getContext("2d");
    return "page";
  } catch {
    // A canvas that was transferred to a worker has no contexts in the page.
    return "worker";
  }
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
