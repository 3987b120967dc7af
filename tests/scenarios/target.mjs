// A program with a window of a known place, which shows what is done to it.
import { until } from "../support/wait.mjs";

/** Its colour at first: red, green and blue. */
export const FRESH = [32, 48, 160];
/** Its colour after a click. */
export const CLICKED = [32, 176, 80];

/** Runs in a terminal: writes where it is clicked, and the line that is typed into it, to files. */
const PROGRAM = `
import os, re, sys, tty
folder, colour = sys.argv[1:]
def report(name, text):
    with open(folder + "/" + name + ".new", "w") as file:
        file.write(text)
    os.rename(folder + "/" + name + ".new", folder + "/" + name)
tty.setcbreak(0)
os.write(1, b"\\x1b[?1000;1006h\\x1b[?25l")
report("ready", "yes")
arrived = b""
while True:
    arrived += os.read(0, 4096)
    click = re.search(rb"\\x1b\\[<(\\d+);(\\d+);(\\d+)M", arrived)
    if click:
        os.write(1, b"\\x1b]11;" + colour.encode() + b"\\x07")
        report("click", " ".join(part.decode() for part in click.groups()))
    arrived = re.sub(rb"\\x1b\\[<\\d+;\\d+;\\d+[Mm]", b"", arrived)
    line, end, rest = arrived.partition(b"\\n")
    if end:
        report("text", line.decode())
        arrived = rest
`;

const hex = (colour) => `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;

let started = 0;

/**
 * Starts it.
 *
 * @param {import("orgo-sdk").Computer} computer
 * @returns its title, two points inside of it (one to click, one to look at, where the pointer does not hide it), and how
 *   to read what it reported
 */
export async function startTarget(computer) {
  const name = `target-${Date.now()}-${(started += 1)}`;
  const folder = `/tmp/${name}`;
  const command = `python3 ${folder}/program.py ${folder} '${hex(CLICKED)}'`;
  const xterm =
    "xterm -u8 -fa 'DejaVu Sans Mono' -fs 11 -geometry 60x16+200+150 " +
    `-bg '${hex(FRESH)}' -fg white -T ${name} -e ${command}`;
  const { output, exit_code } = await computer.bash(
    `mkdir ${folder} && cat > ${folder}/program.py <<'PROGRAM'\n${PROGRAM}\nPROGRAM\n` +
      `setsid ${xterm} > ${folder}/log 2>&1 &`,
  );
  if (exit_code !== 0) throw new Error(`the target did not start: ${output}`);
  const read = (report) =>
    until(`the target's report ${report}`, async () => {
      const { output, exit_code } = await computer.bash(`cat ${folder}/${report}`);
      return exit_code === 0 && output;
    });
  await read("ready");
  return { title: name, place: { x: 420, y: 300 }, sight: { x: 500, y: 360 }, read };
}
