import { equal, ok } from "./check.mjs";
import { startTarget } from "./target.mjs";

/** What xterm calls the buttons; a button that is held while the mouse moves counts 32 more. */
const [LEFT, RIGHT, HELD, WHEEL_UP, WHEEL_DOWN] = ["0", "2", "32", "64", "65"];

export async function mouseIsWorked({ computer }) {
  const target = await startTarget(computer);
  let seen = 0;
  /**
   * What the mouse did since the last time, as `button up-or-down`, and where, in cells: at least so much, and until
   * the last of it is `end`. How many moves a drag shows is the program's affair.
   */
  const next = async (count, end = "") => {
    const move = (line) => line.split(" ").slice(0, 2).join(" ");
    const whole = (lines) => lines.length >= seen + count && move(lines.at(-1)).endsWith(end);
    const fresh = (await target.read("mouse", whole)).slice(seen);
    seen += fresh.length;
    return { moves: fresh.map(move), cells: fresh.map((line) => line.split(" ").slice(2).join(" ")) };
  };

  await computer.click(target.place);
  const click = await next(2);
  equal(click.moves.join(), `${LEFT} down,${LEFT} up`, "a click");

  await computer.click({ ...target.place, button: "right" });
  equal((await next(2)).moves.join(), `${RIGHT} down,${RIGHT} up`, "a click of the right button");

  await computer.click({ ...target.place, double: true });
  const twice = `${LEFT} down,${LEFT} up`;
  equal((await next(4)).moves.join(), `${twice},${twice}`, "a double click");

  await computer.scroll({ direction: "down" });
  const notch = `${WHEEL_DOWN} down`;
  equal((await next(3)).moves.join(), [notch, notch, notch].join(), "the wheel, downwards");
  await computer.scroll({ direction: "up", amount: 1 });
  equal((await next(1)).moves.join(), `${WHEEL_UP} down`, "the wheel, upwards");

  const [from, to] = [target.place, target.sight];
  await computer.drag({ start_x: from.x, start_y: from.y, end_x: to.x, end_y: to.y, duration: 0.2 });
  const { moves, cells } = await next(3, `${LEFT} up`);
  equal(moves[0], `${LEFT} down`, "the beginning of a drag");
  equal(moves.at(-1), `${LEFT} up`, "the end of a drag");
  ok(
    moves.slice(1, -1).every((move) => move === `${HELD} down`),
    `a drag: ${moves}`,
  );
  equal(cells[0], click.cells[0], "where the drag began");
  ok(cells.at(-1) !== cells[0], "the drag ended where it began");

  await computer.key("ctrl+c");
}
