import { within } from "../support/wait.mjs";
import { equal } from "./check.mjs";
import { Transcript } from "./transcript.mjs";

export async function controlsShell({ computer }) {
  await withTerminal(computer, async (_, transcript) => {
    // The terminal echoes the command, so the pattern matches only a line that consists of 42.
    await transcript.run("echo $((6*7))", /^42\r?$/m);
    await transcript.run("printf '%s\\n' Grüße 世界 🎹 | tr '\\n' '+'", /^Grüße\+世界\+🎹\+/m);
  });
}

export async function resizesTerminal({ computer }) {
  await withTerminal(computer, async (terminal, transcript) => {
    await transcript.run("stty size", /^30 100\r?$/m);
    terminal.resize(132, 43);
    await transcript.run("stty size", /^43 132\r?$/m);
  });
}

export async function reportsExitCode({ computer }) {
  await withTerminal(computer, async (terminal) => {
    terminal.write("exit 7\r");
    for await (const _ of terminal);
    equal(await within("the exit code", terminal.exited), 7, "the exit code");
    equal(terminal.state.status, "closed", "the state");
    equal(terminal.state.cause.reason, "exit", "the cause");
    equal(terminal.write("echo\r"), false, "whether input after the end is accepted");
  });
}

export async function continuesAfterCanceledStream({ computer }) {
  await withTerminal(computer, async (terminal) => {
    terminal.write("stty -echo; PS1=; echo started\r");
    const read = async (expected) => {
      let text = "";
      // Leaving the loop cancels the stream.
      for await (const piece of terminal.readable) {
        text += piece;
        if (expected.test(text)) return;
      }
      throw new Error(`the stream ended after ${JSON.stringify(text)}`);
    };
    await within("the first output", read(/^started\r?$/m));
    for (const number of [1, 2, 3]) {
      terminal.write(`echo $((${number}+40))\r`);
      await within("further output", read(new RegExp(`^${number + 40}\r?$`, "m")));
    }
  });
}

async function withTerminal(computer, action) {
  const terminal = await computer.terminal({ cols: 100, rows: 30 });
  try {
    await action(terminal, new Transcript(terminal));
  } finally {
    await terminal.close();
  }
}
