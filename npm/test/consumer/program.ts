// A program that uses the package. The test compiles it, but does not run it.
import {
  type Connection,
  type ConnectionData,
  type DesktopEvent,
  EVENT_TYPES,
  type EventOf,
  type InputRefusal,
  NotFoundError,
  Orgo,
  OrgoError,
  type WebReadableStream,
} from "orgo-sdk";

export async function control(): Promise<number | undefined> {
  const orgo = new Orgo({ apiKey: "sk", timeout: 1000, headers: { a: "b" } });
  const workspace = await orgo.workspaces.create({ name: "w" });
  await using computer = await orgo.computers.create({ workspace_id: workspace.id, name: "n", gpu: "a10", cpu: 2 });
  const info = await computer.waitUntilRunning({ timeout: 5 });
  const status: string | undefined = info.status;
  // @ts-expect-error the properties do not contain the password
  info.vnc_password;
  const { data, width } = await computer.screenshot({ maxRetries: 1 });
  const bytes: Uint8Array = data;
  await computer.screenshot({ format: "jpeg", scale: 0.5, timeout: 5_000 });
  // @ts-expect-error not a valid format
  await computer.screenshot({ format: "gif" });
  await computer.click({ x: 1, y: 2, button: "right" });
  // @ts-expect-error not a valid button
  await computer.click({ x: 1, y: 2, button: "middle" });
  // @ts-expect-error `id` is not a parameter of the method
  await computer.click({ x: 1, y: 2, id: "other" });
  // @ts-expect-error `y` is missing
  await computer.click({ x: 1 });
  const { output, exit_code } = await computer.bash("id", { timeout: 5 }, { timeout: 10_000 });
  const file = await computer.files.upload(bytes, { name: output });
  const uploaded: number | undefined = file.size_bytes;

  await using terminal = await computer.terminal({ cols: 80, rows: 24 });
  terminal.on("state", (state) => (state.status === "closed" ? state.cause.reason : state.status));
  terminal.on("exit", (code: number) => code);
  // @ts-expect-error not an event of a terminal
  terminal.on("gap", () => {});
  const refused: boolean = !terminal.write("x");
  const why: InputRefusal | undefined = terminal.refusal;
  await terminal.drained({ timeout: 1000 });
  terminal.on("reconnected", (unacknowledged: number) => unacknowledged + terminal.counters.acknowledged);
  for await (const text of terminal) text.toUpperCase();
  const readable: WebReadableStream<string> = terminal.readable;
  const piece = await readable.getReader().read();
  if (!piece.done) piece.value.toUpperCase();
  await terminal.writable.getWriter().write("x");

  const audio = await computer.audio();
  for await (const { samples, sample_rate } of audio) samples.fill(sample_rate);
  audio
    .pcmReadable()
    .on("end", () => {})
    .destroy();
  const player = await audio.play({ volume: 1 });
  player.on("stats", ({ underruns, peak }) => underruns + peak);
  player.muted = true;

  const events = await computer.events(["clipboard", "window_open"]);
  for await (const event of events) describe(event);
  const opened = await events.waitFor("window_open", { where: ({ data }) => data.title === "x" });
  const title: string = opened.data.title;
  const copied: EventOf<"clipboard"> = await events.waitFor("clipboard");
  await using _all = await computer.events(EVENT_TYPES);

  const connection: Connection = await computer.connection();
  const sent: ConnectionData = JSON.parse(JSON.stringify(connection));
  const page = Orgo.connect(sent);
  await (await page.terminal()).close();

  try {
    await computer.refresh({ signal: undefined });
  } catch (error) {
    if (error instanceof NotFoundError) return error.status;
    if (error instanceof OrgoError && error.delivered === "no") throw error;
  }
  return (
    width +
    title.length +
    copied.data.content.length +
    Number(refused) +
    (exit_code ?? uploaded ?? status?.length ?? why?.length ?? 0)
  );
}

function describe(event: DesktopEvent): string {
  switch (event.type) {
    case "clipboard":
      return event.data.content;
    case "window_open":
      return event.data.title;
    default:
      return event.timestamp;
  }
}
