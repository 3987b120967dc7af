// A program with a window at a known position, which reports mouse events and typed text.
import { until } from "../support/wait.mjs";

/** The initial color of the window, as red, green and blue. */
export const FRESH = [32, 48, 160];
/** The color of the window after a click, as red, green and blue. */
export const CLICKED = [32, 176, 80];

/** The program, which runs in a terminal. It writes mouse events and typed lines to files. */
const PROGRAM = `
import os, re, sys, tty
folder, color = sys.argv[1:]
def report(name, text):
    with open(folder + "/" + name, "a") as file:
        file.write(text + "\\n")
tty.setcbreak(0)
os.write(1, b"\\x1b[?1002;1006h\\x1b[?25l")
report("ready", "yes")
MOUSE = re.compile(rb"\\x1b\\[<(\\d+);(\\d+);(\\d+)([Mm])")
arrived = b""
while True:
    arrived += os.read(0, 4096)
    for button, column, row, end in MOUSE.findall(arrived):
        report("mouse", " ".join([button.decode(), "down" if end == b"M" else "up", column.decode(), row.decode()]))
        os.write(1, b"\\x1b]11;" + color.encode() + b"\\x07")
    *lines, arrived = MOUSE.sub(b"", arrived).split(b"\\n")
    for line in lines:
        report("text", line.decode())
`;

const hex = (color) => `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

let started = 0;

/**
 * Starts the program.
 *
 * @param {import("orgo-sdk").Computer} computer
 * @returns `title`: the title of the window; `point`: a position to click; `probe`: a position to check the color
 *   at, which the pointer does not cover; `read`: waits until the lines of a report satisfy a condition, and returns them
 */
export async function startTarget(computer) {
  started += 1;
  const name = `target-${Date.now()}-${started}`;
  const folder = `/tmp/${name}`;
  const command = `python3 ${folder}/program.py ${folder} '${hex(CLICKED)}'`;
  const options = `-u8 -fa 'DejaVu Sans Mono' -fs 11 -geometry 60x16+200+150 -bg '${hex(FRESH)}' -fg white`;
  const xterm = `xterm ${options} -T ${name} -e ${command}`;
  const { output, exit_code } = await computer.bash(
    `mkdir ${folder} && cat > ${folder}/program.py <<'PROGRAM'\n${PROGRAM}\nPROGRAM\n` + `setsid ${xterm} > ${folder}/log 2>&1 &`,
  );
  if (exit_code !== 0) throw new Error(`the target did not start: ${output}`);
  const read = (report, isEnough = (lines) => lines.length > 0) =>
    until(`the report ${report} of the target`, async () => {
      const { output } = await computer.bash(`cat ${folder}/${report} 2> /dev/null`);
      // The text after the last line break is still incomplete.
      const lines = output.split("\n").slice(0, -1);
      return isEnough(lines) && lines;
    });
  await read("ready");
  return { title: name, point: { x: 420, y: 300 }, probe: { x: 500, y: 360 }, read };
}
