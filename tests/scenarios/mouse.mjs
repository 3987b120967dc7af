import { equal, ok } from "./check.mjs";
import { startTarget } from "./target.mjs";

/** The button codes of xterm's mouse reports. A move with a pressed button adds 32. */
const [LEFT, RIGHT, HELD, WHEEL_UP, WHEEL_DOWN] = ["0", "2", "32", "64", "65"];

export async function controlsMouse({ computer }) {
  const target = await startTarget(computer);
  let consumed = 0;
  /**
   * Waits for at least `count` new mouse events, until the last one ends with `end`. Returns the events as `BUTTON up` or
   * `BUTTON down`, and the positions of the events in cells. The number of moves in a drag is not defined.
   */
  const next = async (count, end = "") => {
    const event = (line) => line.split(" ").slice(0, 2).join(" ");
    const complete = (lines) => lines.length >= consumed + count && event(lines.at(-1)).endsWith(end);
    const lines = (await target.read("mouse", complete)).slice(consumed);
    consumed += lines.length;
    return { events: lines.map(event), cells: lines.map((line) => line.split(" ").slice(2).join(" ")) };
  };

  await computer.click(target.point);
  const click = await next(2);
  equal(click.events.join(), `${LEFT} down,${LEFT} up`, "a click");

  await computer.click({ ...target.point, button: "right" });
  equal((await next(2)).events.join(), `${RIGHT} down,${RIGHT} up`, "a click of the right button");

  await computer.click({ ...target.point, double: true });
  const twice = `${LEFT} down,${LEFT} up`;
  equal((await next(4)).events.join(), `${twice},${twice}`, "a double click");

  await computer.scroll({ direction: "down" });
  const notch = `${WHEEL_DOWN} down`;
  equal((await next(3)).events.join(), [notch, notch, notch].join(), "the wheel, downwards");
  await computer.scroll({ direction: "up", amount: 1 });
  equal((await next(1)).events.join(), `${WHEEL_UP} down`, "the wheel, upwards");

  const [from, to] = [target.point, target.probe];
  await computer.drag({ start_x: from.x, start_y: from.y, end_x: to.x, end_y: to.y, duration: 0.2 });
  const { events, cells } = await next(3, `${LEFT} up`);
  equal(events[0], `${LEFT} down`, "the start of a drag");
  equal(events.at(-1), `${LEFT} up`, "the end of a drag");
  ok(
    events.slice(1, -1).every((event) => event === `${HELD} down`),
    `a drag: ${events}`,
  );
  equal(cells[0], click.cells[0], "the position where the drag started");
  ok(cells.at(-1) !== cells[0], "the drag ended at its start");

  await computer.key("ctrl+c");
}
