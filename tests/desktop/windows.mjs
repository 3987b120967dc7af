// Windows to type into, one for each toolkit: how each is opened, emptied, and read.
import { until } from "../support/wait.mjs";

const QT = `
import sys
from PyQt5.QtWidgets import QApplication, QPlainTextEdit
application = QApplication(sys.argv)
edit = QPlainTextEdit()
edit.setTabChangesFocus(False)
def keep():
    with open("/tmp/typed-Qt", "w", newline="") as file:
        file.write(edit.toPlainText())
edit.textChanged.connect(keep)
edit.setWindowTitle("Qt")
edit.resize(600, 400)
edit.show()
application.exec()
`;

/** Keeps every byte that the terminal gives; Ctrl-U empties. */
const TERMINAL = `
import os, tty
tty.setraw(0)
text = b""
while True:
    text += os.read(0, 65536)
    text = text.rpartition(b"\\x15")[2]
    with open("/tmp/typed-xterm", "wb") as file:
        file.write(text.replace(b"\\r", b"\\n"))
`;

/** Serves a page with a text area, and keeps what the page says is in it. */
const PAGE = `
from http.server import BaseHTTPRequestHandler, HTTPServer
HTML = b"""<!doctype html><meta charset="utf-8"><title>Chromium</title>
<textarea autofocus rows="20" cols="70"></textarea>
<script>
const area = document.querySelector("textarea");
let last = Promise.resolve();
area.addEventListener("keydown", (event) => {
  if (event.key !== "Tab") return;
  event.preventDefault();
  document.execCommand("insertText", false, "\\\\t");
});
area.addEventListener("input", () => {
  const body = area.value;
  last = last.then(() => area.value === body && fetch("/", { method: "POST", body }));
});
</script>"""
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(HTML)
    def do_POST(self):
        text = self.rfile.read(int(self.headers["content-length"]))
        with open("/tmp/typed-Chromium", "wb") as file:
            file.write(text)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *arguments):
        pass
HTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
`;

const program = (name, text) => `cat > /tmp/${name}.py <<'PROGRAM'${text}PROGRAM\n`;
const background = (command) => `setsid ${command} > /tmp/log 2>&1 &`;

/** @type {Record<string, { title: RegExp, open: string, empty: string[], read: { keys: string[], command: string } }>} */
export const windows = {
  GTK: {
    title: /Mousepad/,
    open: background("mousepad --disable-server"),
    empty: ["ctrl+a", "Delete"],
    read: { keys: ["ctrl+a", "ctrl+c"], command: "xclip -o -selection clipboard" },
  },
  Qt: {
    title: /^Qt$/,
    open: program("qt", QT) + background("python3 /tmp/qt.py"),
    empty: ["ctrl+a", "Delete"],
    read: { keys: [], command: "cat /tmp/typed-Qt" },
  },
  xterm: {
    title: /^xterm-typing$/,
    open: program("terminal", TERMINAL) + background("xterm -u8 -T xterm-typing -e python3 /tmp/terminal.py"),
    empty: ["ctrl+u"],
    read: { keys: [], command: "cat /tmp/typed-xterm" },
  },
  Chromium: {
    title: /./,
    open:
      program("page", PAGE) +
      background("python3 /tmp/page.py") +
      background("chromium --app=http://127.0.0.1:8000/"),
    empty: ["ctrl+a", "Delete"],
    read: { keys: [], command: "cat /tmp/typed-Chromium" },
  },
};

/** A window of one toolkit on a computer of its own. */
export class TypingWindow {
  #wire;
  #computer;
  #window;

  constructor(wire, computer, window) {
    this.#wire = wire;
    this.#computer = computer;
    this.#window = window;
  }

  /** Makes the call, and fails if it is refused. */
  async act(call, body) {
    const answer = await this.#wire.call("POST", `/computers/${this.#computer}/${call}`, body);
    if (answer.status !== 200) throw new Error(`${call}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async bash(command) {
    return (await this.act("bash", { command })).output;
  }

  async screenshot() {
    const { body } = await this.#wire.call("GET", `/computers/${this.#computer}/screenshot`);
    return Buffer.from(body.image, "base64");
  }

  async #keys(keys) {
    for (const key of keys) await this.act("key", { key });
  }

  /** Opens it and waits until what is typed arrives. */
  async open(events) {
    await this.bash(this.#window.open);
    await events.find(({ event }) => event?.type === "window_focus" && this.#window.title.test(event.data.title));
    await until(
      "the window to take what is typed",
      async () => {
        await this.act("type", { text: "ready" });
        return (await this.content()).includes("ready");
      },
      60_000,
    );
    await this.#keys(this.#window.empty);
  }

  async content() {
    await this.#keys(this.#window.read.keys);
    return this.bash(`${this.#window.read.command} 2>/dev/null`);
  }

  /**
   * Types a text into the empty window.
   *
   * @returns what is there once it is as long as it should be, and how long the call took, in ms
   */
  async type(text) {
    const began = performance.now();
    await this.act("type", { text });
    const took = performance.now() - began;
    let content = "";
    await until(
      "the whole text",
      async () => {
        content = await this.content();
        return content.length >= text.length;
      },
      20_000,
    ).catch(() => {});
    await this.#keys(this.#window.empty);
    return { content, took };
  }
}
