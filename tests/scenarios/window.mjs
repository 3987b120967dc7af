import { until } from "../support/wait.mjs";
import { equal } from "./check.mjs";
import { CLICKED, FRESH, startTarget } from "./target.mjs";

const TEXT = "Grüße aus 世界 ✓ {[(\"'`$~^|\\)]}";

export async function controlsWindow({ computer, decode }) {
  const events = await computer.events(["window_open", "window_focus", "window_close"]);
  try {
    const target = await startTarget(computer);
    const where = ({ data }) => data.title === target.title;
    const opened = await events.waitFor("window_open", { where });
    const focused = await events.waitFor("window_focus", { where });
    equal(focused.data.window_id, opened.data.window_id, "the focused window");

    await untilColor("the window", FRESH);
    await computer.click(target.point);
    await untilColor("the window after a click", CLICKED);

    await computer.type(TEXT);
    await computer.key("Enter");
    equal((await target.read("text")).join("\n"), TEXT, "the typed text");

    await computer.key("ctrl+c");
    await events.waitFor("window_close", { where: ({ data }) => data.window_id === opened.data.window_id });

    async function untilColor(what, [red, green, blue]) {
      await until(`${what} to be rgb(${red}, ${green}, ${blue})`, async () => {
        const { data, mime_type } = await computer.screenshot();
        const pixel = (await decode(data, mime_type)).pixel(target.probe.x, target.probe.y);
        return pixel[0] === red && pixel[1] === green && pixel[2] === blue;
      });
    }
  } finally {
    await events.close();
  }
}
