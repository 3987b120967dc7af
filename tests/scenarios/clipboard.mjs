import { equal, ok } from "./check.mjs";

const COPIED = 'Kopiert: 字 ✂ "quoted"\nsecond line';
/** The number of repetitions, each on a new channel. An open channel reports every event, even directly after it opens. */
const TIMES = 5;

export async function reportsCopiedText({ computer }) {
  for (let time = 0; time < TIMES; time += 1) {
    const text = `${COPIED} ${time}\n`;
    const events = await computer.events(["clipboard"]);
    try {
      const { exit_code, output } = await computer.bash(`xclip -selection clipboard > /dev/null 2>&1 <<'TEXT'\n${text}TEXT`);
      equal(exit_code, 0, `xclip (${output})`);
      const event = await events.waitFor("clipboard");
      equal(event.data.content, text, "the content");
      ok(!Number.isNaN(Date.parse(event.timestamp)), `${event.timestamp} is not a valid time`);
    } finally {
      await events.close();
    }
  }
}
