// A program with a window of a known place, which shows what is done to it.
import { until } from "../support/wait.mjs";

/** Its colour at first: red, green and blue. */
export const FRESH = [32, 48, 160];
/** Its colour after a click. */
export const CLICKED = [32, 176, 80];

/** Runs in a terminal: writes what the mouse does to it, and the lines that are typed into it, to files. */
const PROGRAM = `
import os, re, sys, tty
folder, colour = sys.argv[1:]
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
        os.write(1, b"\\x1b]11;" + colour.encode() + b"\\x07")
    *lines, arrived = MOUSE.sub(b"", arrived).split(b"\\n")
    for line in lines:
        report("text", line.decode())
`;

const hex = (colour) => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

let started = 0;

/**
 * Starts it.
 *
 * @param {import("orgo-sdk").Computer} computer
 * @returns its title, two points inside of it (one to click, one to look at, where the pointer does not hide it), and how
 *   to read the lines of what it reported once they are enough
 */
export async function startTarget(computer) {
  started += 1;
  const name = `target-${Date.now()}-${started}`;
  const folder = `/tmp/${name}`;
  const command = `python3 ${folder}/program.py ${folder} '${hex(CLICKED)}'`;
  const look = `-u8 -fa 'DejaVu Sans Mono' -fs 11 -geometry 60x16+200+150 -bg '${hex(FRESH)}' -fg white`;
  const xterm = `xterm ${look} -T ${name} -e ${command}`;
  const { output, exit_code } = await computer.bash(
    `mkdir ${folder} && cat > ${folder}/program.py <<'PROGRAM'\n${PROGRAM}\nPROGRAM\n` + `setsid ${xterm} > ${folder}/log 2>&1 &`,
  );
  if (exit_code !== 0) throw new Error(`the target did not start: ${output}`);
  const read = (report, enough = (lines) => lines.length > 0) =>
    until(`the target's report ${report}`, async () => {
      const { output } = await computer.bash(`cat ${folder}/${report} 2> /dev/null`);
      // What is behind the last line break is still being written.
      const lines = output.split("\n").slice(0, -1);
      return enough(lines) && lines;
    });
  await read("ready");
  return { title: name, place: { x: 420, y: 300 }, sight: { x: 500, y: 360 }, read };
}
