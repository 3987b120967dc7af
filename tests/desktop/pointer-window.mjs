// A full-screen window that records pointer and keyboard events.
import { until } from "../support/wait.mjs";

const PROGRAM = `
import json, sys
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication, QWidget
BUTTONS = {Qt.LeftButton: "left", Qt.MiddleButton: "middle", Qt.RightButton: "right"}
log = open("/tmp/seen", "w", buffering=1)
def note(**seen):
    print(json.dumps(seen), file=log)
class Window(QWidget):
    def paintEvent(self, event):
        note(kind="shown", width=self.width(), height=self.height())
    def mousePressEvent(self, event):
        self.note("down", event)
    def mouseDoubleClickEvent(self, event):
        self.note("double", event)
    def mouseReleaseEvent(self, event):
        self.note("up", event)
    def mouseMoveEvent(self, event):
        if event.buttons():
            note(kind="drag", x=event.x(), y=event.y())
    def wheelEvent(self, event):
        note(kind="wheel", steps=event.angleDelta().y() / 120, sideways=event.angleDelta().x() / 120, x=event.x(), y=event.y())
    def keyPressEvent(self, event):
        note(kind="key", text=event.text())
    def note(self, kind, event):
        note(kind=kind, button=BUTTONS[event.button()], x=event.x(), y=event.y(), time=event.timestamp())
application = QApplication(sys.argv)
window = Window()
# The window covers the panel and every edge of the screen.
window.setWindowFlags(Qt.X11BypassWindowManagerHint)
window.setMouseTracking(True)
window.setGeometry(application.primaryScreen().geometry())
window.show()
window.grabKeyboard()
application.exec()
`;

/** A Python program that prints the X server's bit mask of pressed buttons and modifiers, and the list of pressed keys. */
const HELD = `
import ctypes
x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
x.XDefaultRootWindow.restype = ctypes.c_ulong
display = ctypes.c_void_p(x.XOpenDisplay(None))
word, mask, keys = ctypes.c_ulong(), ctypes.c_uint(), (ctypes.c_char * 32)()
at = [ctypes.byref(ctypes.c_int()) for _ in range(4)]
root = ctypes.c_ulong(x.XDefaultRootWindow(display))
x.XQueryPointer(display, root, ctypes.byref(word), ctypes.byref(word), *at, ctypes.byref(mask))
x.XQueryKeymap(display, keys)
print(mask.value, [code for code in range(256) if keys.raw[code // 8] >> code % 8 & 1])
`;

export class PointerWindow {
  #computer;
  /** The number of events that `seen` has returned. */
  #consumed = 0;

  constructor(computer) {
    this.#computer = computer;
  }

  /** Opens the window on the computer. */
  static async open(computer) {
    await computer.bash(`cat > /tmp/pointer.py <<'PROGRAM'${PROGRAM}PROGRAM\nsetsid python3 /tmp/pointer.py > /tmp/log 2>&1 &`);
    const window = new PointerWindow(computer);
    await window.seen((seen) => seen.some(({ kind }) => kind === "shown"));
    return window;
  }

  /** Waits until `isEnough` returns true for the events since the last call, and returns these events. */
  async seen(isEnough) {
    return until("the window to record the events", async () => {
      const lines = (await this.#computer.bash("cat /tmp/seen 2>/dev/null")).split("\n").slice(this.#consumed, -1);
      const seen = lines.map((line) => JSON.parse(line));
      if (!isEnough(seen)) return undefined;
      this.#consumed += lines.length;
      return seen.filter(({ kind }) => kind !== "shown");
    });
  }

  /** Returns the pressed buttons, modifiers and keys, in the format of `HELD`. `0 []` means that none is pressed. */
  async held() {
    return (await this.#computer.bash(`python3 - <<'END'${HELD}END`)).trim();
  }
}
