// A page in the computer's Chromium that records keyboard events, text, and drag and drop.
import { until } from "../support/wait.mjs";

const PAGE = `
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
HTML = b"""<!doctype html><meta charset="utf-8"><title>Keys</title>
<style>* { margin: 0 } textarea, div { position: absolute }</style>
<textarea autofocus style="left: 0; top: 0; width: 600px; height: 200px"></textarea>
<div id="source" draggable="true" style="left: 20px; top: 220px; width: 200px; height: 100px; background: red">drag</div>
<div id="target" style="left: 400px; top: 220px; width: 400px; height: 200px; background: green">drop</div>
<script>
const area = document.querySelector("textarea");
const seen = [];
let last = Promise.resolve();
const send = async (body) => {
  // A change of the network, for example, fails a request.
  while (!(await fetch("/", { method: "POST", body }).catch(() => undefined))) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
const report = (...event) => {
  seen.push(event);
  const body = JSON.stringify(seen);
  last = last.then(() => send(body));
};
addEventListener("keydown", ({ code, keyCode, ctrlKey, shiftKey }) => report("key", code, keyCode, ctrlKey, shiftKey), true);
area.addEventListener("input", () => report("value", area.value));
area.addEventListener("select", () => report("select", area.selectionStart, area.selectionEnd));
source.addEventListener("dragstart", ({ dataTransfer }) => {
  dataTransfer.setData("text/plain", "dragged");
  report("dragstart");
});
source.addEventListener("dragend", () => report("dragend"));
target.addEventListener("dragover", (event) => event.preventDefault());
target.addEventListener("drop", (event) => {
  event.preventDefault();
  report("drop", event.dataTransfer.getData("text/plain"));
});
document.addEventListener("click", ({ target }) => target.draggable || report("click"));
</script>"""
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(HTML)
    def do_POST(self):
        text = self.rfile.read(int(self.headers["content-length"]))
        with open("/tmp/seen.new", "wb") as file:
            file.write(text)
        os.rename("/tmp/seen.new", "/tmp/seen")
        self.send_response(204)
        self.end_headers()
    def log_message(self, *arguments):
        pass
ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
`;

export class KeysPage {
  #computer;
  /** The number of events that `seen` has returned. */
  #consumed = 0;

  constructor(computer) {
    this.#computer = computer;
  }

  /** Opens the page on the computer. The upper left corner of the page is that of the screen. */
  static async open(computer) {
    await computer.bash(`cat > /tmp/page.py <<'PROGRAM'${PAGE}PROGRAM\nsetsid python3 /tmp/page.py > /tmp/log 2>&1 &`);
    const events = await computer.events("window_focus");
    await computer.bash("setsid chromium --kiosk --app=http://127.0.0.1:8000/ > /tmp/chromium.log 2>&1 &");
    await events.find(({ event }) => event?.type === "window_focus");
    events.close();
    const page = new KeysPage(computer);
    await until(
      "the page to accept text",
      async () => {
        await computer.call("type", { text: "r" });
        return (await page.#events()).some(([kind]) => kind === "value");
      },
      60_000,
    );
    await page.seen(() => true);
    return page;
  }

  async #events() {
    return JSON.parse((await this.#computer.bash("cat /tmp/seen 2>/dev/null")) || "[]");
  }

  /** Waits until `isEnough` returns true for the events since the last call, and returns these events. */
  async seen(isEnough) {
    let seen;
    return until("the page to record the events", async () => {
      const events = await this.#events();
      seen = events.slice(this.#consumed);
      if (!isEnough(seen)) return undefined;
      this.#consumed = events.length;
      return seen;
    }).catch((error) => {
      throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
  }

  /** Empties the text area, with keys that work in every keyboard layout. */
  async empty() {
    await this.#computer.press("ctrl+a", "Delete", "End");
    await this.seen((seen) => seen.some(([kind, code]) => kind === "key" && code === "End"));
  }
}
