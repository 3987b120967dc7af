import { within } from "../support/wait.mjs";
import { equal } from "./check.mjs";
import { Transcript } from "./transcript.mjs";

export async function shellIsWorked({ computer }) {
  await withTerminal(computer, async (_, transcript) => {
    // The line itself is echoed; a line that is 42 alone can only be the answer.
    await transcript.say("echo $((6*7))", /^42\r?$/m);
    await transcript.say("printf '%s\\n' Grüße 世界 🎹 | tr '\\n' '+'", /^Grüße\+世界\+🎹\+/m);
  });
}

export async function sizeReachesTheShell({ computer }) {
  await withTerminal(computer, async (terminal, transcript) => {
    await transcript.say("stty size", /^30 100\r?$/m);
    terminal.resize(132, 43);
    await transcript.say("stty size", /^43 132\r?$/m);
  });
}

export async function shellEndsWithItsCode({ computer }) {
  await withTerminal(computer, async (terminal) => {
    terminal.write("exit 7\r");
    for await (const _ of terminal);
    equal(await within("the exit code", terminal.exited), 7, "the exit code");
    equal(terminal.state.status, "closed", "the state");
    equal(terminal.state.cause.reason, "exit", "the cause");
    equal(terminal.write("echo\r"), false, "keystrokes after the end are taken");
  });
}

async function withTerminal(computer, work) {
  const terminal = await computer.terminal({ cols: 100, rows: 30 });
  try {
    await work(terminal, new Transcript(terminal));
  } finally {
    await terminal.close();
  }
}
