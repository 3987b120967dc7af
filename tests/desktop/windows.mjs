// Windows to type into, one for each toolkit: how each is opened, emptied, and read. No caret blinks
// and no scroll bar fades, so that the same text is the same picture.
import { until } from "../support/wait.mjs";

/** Where a window that can insert text by itself is told which. */
const insertion = (toolkit) => `/tmp/insert-${toolkit}`;

const QT = `
import os, sys
from PyQt5.QtCore import QObject, QSocketNotifier, Qt, pyqtSignal
from PyQt5.QtWidgets import QApplication, QPlainTextEdit
application = QApplication(sys.argv)
edit = QPlainTextEdit()
edit.setTabChangesFocus(False)
application.setCursorFlashTime(0)
def keep():
    with open("/tmp/typed-Qt", "w", newline="") as file:
        file.write(edit.toPlainText())
edit.textChanged.connect(keep)
class Inserter(QObject):
    character = pyqtSignal(str)
inserter = Inserter()
inserter.character.connect(edit.insertPlainText, Qt.QueuedConnection)
os.mkfifo("${insertion("Qt")}")
texts = os.open("${insertion("Qt")}", os.O_RDWR)
def insert():
    for character in os.read(texts, 65536).decode():
        inserter.character.emit(character)
notifier = QSocketNotifier(texts, QSocketNotifier.Read)
notifier.activated.connect(insert)
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
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
os.mkfifo("${insertion("Chromium")}")
HTML = b"""<!doctype html><meta charset="utf-8"><title>Chromium</title>
<textarea autofocus rows="20" cols="70" style="caret-color: transparent"></textarea>
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
(async () => {
  const events = new MessageChannel();
  for (;;) {
    for (const character of await (await fetch("/insertion")).text()) {
      document.execCommand("insertText", false, character);
      await new Promise((resolve) => {
        events.port1.onmessage = resolve;
        events.port2.postMessage("next");
      });
    }
  }
})();
</script>"""
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = HTML
        if self.path == "/insertion":
            with open("${insertion("Chromium")}", "rb") as texts:
                body = texts.read()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        text = self.rfile.read(int(self.headers["content-length"]))
        with open("/tmp/typed-Chromium", "wb") as file:
            file.write(text)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *arguments):
        pass
ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
`;

const program = (name, text) => `cat > /tmp/${name}.py <<'PROGRAM'${text}PROGRAM\n`;
const background = (command) => `setsid ${command} > /tmp/log 2>&1 &`;

const STILL_CARET = "echo gtk-cursor-blink=0 >> ~/.config/gtk-3.0/settings.ini\n";

/**
 * Those with an `insertion` insert the text that is written to that file, one event of their own for each character: nothing of
 * it comes from the X server.
 *
 * @typedef {object} Toolkit
 * @property {RegExp} title
 * @property {string} open
 * @property {string[]} empty
 * @property {{ keys: string[], command: string }} read
 * @property {string} [insertion]
 */

/** @type {Record<string, Toolkit>} */
export const windows = {
  GTK: {
    title: /Mousepad/,
    open: STILL_CARET + background("env GTK_OVERLAY_SCROLLING=0 mousepad --disable-server"),
    empty: ["ctrl+a", "Delete"],
    read: { keys: ["ctrl+a", "ctrl+c"], command: "xclip -o -selection clipboard" },
  },
  Qt: {
    title: /^Qt$/,
    open: program("qt", QT) + background("python3 /tmp/qt.py"),
    empty: ["ctrl+a", "Delete"],
    read: { keys: [], command: "cat /tmp/typed-Qt" },
    insertion: insertion("Qt"),
  },
  xterm: {
    title: /^xterm-typing$/,
    open: program("terminal", TERMINAL) + background("xterm -u8 -T xterm-typing -e python3 /tmp/terminal.py"),
    empty: ["ctrl+u"],
    read: { keys: [], command: "cat /tmp/typed-xterm" },
  },
  Chromium: {
    title: /./,
    open: program("page", PAGE) + background("python3 /tmp/page.py") + background("chromium --app=http://127.0.0.1:8000/"),
    empty: ["ctrl+a", "Delete"],
    read: { keys: [], command: "cat /tmp/typed-Chromium" },
    insertion: insertion("Chromium"),
  },
};

/** A window of one toolkit, the only one on its computer. */
export class TypingWindow {
  #computer;
  #window;

  constructor(computer, window) {
    this.#computer = computer;
    this.#window = window;
  }

  /** Opens it on the computer and waits until what is typed arrives. */
  static async open(computer, toolkit) {
    const window = new TypingWindow(computer, windows[toolkit]);
    const { open, title } = windows[toolkit];
    const events = await computer.events("window_focus");
    await computer.bash(open);
    await events.find(({ event }) => event?.type === "window_focus" && title.test(event.data.title));
    events.close();
    const takes = async () => {
      await computer.act("type", { text: "ready" });
      return (await window.content()).includes("ready");
    };
    await until("the window to take what is typed", takes, 60_000);
    await window.empty();
    return window;
  }

  async content() {
    await this.#computer.press(...this.#window.read.keys);
    return this.#computer.bash(`${this.#window.read.command} 2>/dev/null`);
  }

  /**
   * What is in it: once that is `text`, or after a time. A window may take a while to empty itself too, so `text` must not
   * be what was in it before.
   */
  async contentLike(text) {
    let content = "";
    const isThere = async () => {
      content = await this.content();
      return content === text;
    };
    // A text that is not there is for the caller to compare. Laying out emoji keeps Qt busy for many seconds on a busy machine.
    await until("the text", isThere, 90_000).catch(() => {});
    return content;
  }

  empty() {
    return this.#computer.press(...this.#window.empty);
  }
}
