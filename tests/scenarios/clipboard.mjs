import { equal } from "./check.mjs";

const COPIED = "Kopiert: 字 ✂ \"quoted\"\nsecond line";

export async function copiedTextIsReported({ computer }) {
  const events = await computer.events(["clipboard"]);
  try {
    const { exit_code, output } = await computer.bash(
      `xclip -selection clipboard > /dev/null 2>&1 <<'TEXT'\n${COPIED}\nTEXT`,
    );
    equal(exit_code, 0, `xclip (${output})`);
    const event = await events.waitFor("clipboard");
    equal(event.data.content, `${COPIED}\n`, "the content");
    equal(Number.isNaN(Date.parse(event.timestamp)), false, `${event.timestamp} is no time`);
  } finally {
    await events.close();
  }
}
