// Windows to type into, one for each toolkit, with commands to open, empty and read them. Blinking carets and fading
// scroll bars are disabled, so equal text causes equal screenshots.
import { until } from "../support/wait.mjs";

/** Returns the path of the FIFO from which a window reads text to insert without X events. */
const insertion = (toolkit) => `/tmp/insert-${toolkit}`;

const QT = `
import os, sys
from PyQt5.QtCore import QObject, QSocketNotifier, Qt, pyqtSignal
from PyQt5.QtWidgets import QApplication, QPlainTextEdit
application = QApplication(sys.argv)
edit = QPlainTextEdit()
edit.setTabChangesFocus(False)
application.setCursorFlashTime(0)
def save():
    with open("/tmp/typed-Qt", "w", newline="") as file:
        file.write(edit.toPlainText())
edit.textChanged.connect(save)
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

/** A program that saves every byte from the terminal. Ctrl-U empties the saved text. */
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

/** A program that serves a page with a text area, and saves the text that the page reports. */
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

const STEADY_CARET = "echo gtk-cursor-blink=0 >> ~/.config/gtk-3.0/settings.ini\n";

/**
 * The window of a toolkit. A window with an `insertion` reads text from this FIFO, and inserts it with one toolkit event for
 * each character, without the X server.
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
    open: STEADY_CARET + background("env GTK_OVERLAY_SCROLLING=0 mousepad --disable-server"),
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

/** A window of one toolkit. The computer must have no other window. */
export class TypingWindow {
  #computer;
  #window;

  constructor(computer, window) {
    this.#computer = computer;
    this.#window = window;
  }

  /** Opens the window on the computer and waits until it accepts text. */
  static async open(computer, toolkit) {
    const window = new TypingWindow(computer, windows[toolkit]);
    const { open, title } = windows[toolkit];
    const events = await computer.events("window_focus");
    await computer.bash(open);
    await events.find(({ event }) => event?.type === "window_focus" && title.test(event.data.title));
    events.close();
    const acceptsText = async () => {
      await computer.call("type", { text: "ready" });
      return (await window.content()).includes("ready");
    };
    await until("the window to accept text", acceptsText, 60_000);
    await window.empty();
    return window;
  }

  async content() {
    await this.#computer.press(...this.#window.read.keys);
    return this.#computer.bash(`${this.#window.read.command} 2>/dev/null`);
  }

  /**
   * Waits until the content is `text`, or until a time limit, and returns the content. `text` must differ from the
   * previous content, because emptying a window may take time.
   */
  async contentLike(text) {
    let content = "";
    const isText = async () => {
      content = await this.content();
      return content === text;
    };
    // The caller reports different content. On a busy machine, Qt takes many seconds for the layout of emoji.
    await until("the text", isText, 90_000).catch(() => {});
    return content;
  }

  empty() {
    return this.#computer.press(...this.#window.empty);
  }
}
