import { Transcript } from "../scenarios/transcript.mjs";

/**
 * Types single characters into a shell, and waits for the echo of each.
 *
 * @returns {Promise<number[]>} the times from keystroke to echo, in milliseconds
 */
export async function timeKeystrokes(computer, count) {
  const terminal = await computer.terminal({ cols: 500 });
  try {
    await new Transcript(terminal).run("echo $((6*7))", /^42\r?$/m);
    const times = [];
    for (let typed = 0; typed < count; typed += 1) {
      const start = performance.now();
      terminal.write("x");
      for await (const output of terminal) if (output.includes("x")) break;
      times.push(performance.now() - start);
    }
    return times;
  } finally {
    await terminal.close();
  }
}
