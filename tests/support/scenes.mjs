// Windows and moving scenes that tests show on a computer.
import { until } from "./wait.mjs";

/** The start of a program with a window that covers the panel and every edge of the screen. */
const PRELUDE = `
import json, random
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QColor, QImage, QPainter
from PyQt5.QtWidgets import QApplication, QWidget
# Every move of the pointer is an event, even if the program is slow.
QApplication.setAttribute(Qt.AA_CompressHighFrequencyEvents, False)
application = QApplication([])
class FullScreen(QWidget):
    def __init__(self):
        super().__init__()
        self.setWindowFlags(Qt.X11BypassWindowManagerHint)
        self.setGeometry(application.primaryScreen().geometry())
    def started(self):
        pass
    def repeat(self, interval, step):
        self.timer = QTimer()
        self.timer.timeout.connect(step)
        self.timer.start(interval)
def noise(width, height, frames):
    """Images with a moving gradient, and five random bits in each color, which Tight and ZRLE compress to two thirds."""
    mask = int.from_bytes(b"\\x1f\\x1f\\x1f\\x00" * (width * height), "little")
    images = []
    for frame in range(frames):
        rows = (bytes([(row + 8 * frame) & 0xe0, row & 0xe0, (8 * frame) & 0xe0, 0]) * width for row in range(height))
        bits = int.from_bytes(random.randbytes(width * height * 4), "little") & mask
        pixels = (int.from_bytes(b"".join(rows), "little") | bits).to_bytes(width * height * 4, "little")
        images.append(QImage(pixels, width, height, QImage.Format_RGB32).copy())
    return images
`;

const EPILOGUE = `
window = Window()
window.show()
window.started()
QTimer.singleShot(0, ready)
application.exec()
`;

/**
 * Starts a program on a computer, in the background, and waits until it has started.
 *
 * @param {import("orgo-sdk").Computer} computer
 * @param {string} name the name of the program's files in `/tmp`
 * @param {string} source a Python program that calls `ready()`
 * @param {string} [runner] the command that runs the program
 * @returns {Promise<{ stop(): Promise<void> }>}
 */
async function start(computer, name, source, runner = "python3") {
  const file = (end) => `/tmp/${name}.${end}`;
  const program = `def ready():\n    open("${file("ready")}", "w").close()\n${source}`;
  await computer.bash(
    `rm -f ${file("ready")}; cat > ${file("py")} <<'END'\n${program}\nEND\nsetsid ${runner} ${file("py")} >${file("log")} 2>&1 & echo $! > ${file("pid")}`,
  );
  await until(`the program ${name}`, async () => (await computer.bash(`test -e ${file("ready")}`)).exit_code === 0, 60_000);
  return {
    async stop() {
      await computer.bash(`kill -- -$(cat ${file("pid")})`);
      const probe = `kill -0 -- -$(cat ${file("pid")})`;
      await until(`the end of the program ${name}`, async () => (await computer.bash(probe)).exit_code !== 0);
    },
  };
}

/**
 * Opens a window that covers the screen. `source` contains the Python class `Window(FullScreen)`, whose method `started` is called when
 * the window is shown.
 */
export const openWindow = (computer, name, source) => start(computer, name, `${PRELUDE}${source}${EPILOGUE}`);

/** Opens a terminal that shows what is typed. Its title bar is at the point (300, 160) of a screen with a window manager. */
export const openTerminal = (computer) => start(computer, "terminal", ECHO, `xterm -fn fixed -geometry 80x24+200+150 -e python3`);

const ECHO = `
import sys
ready()
for _ in sys.stdin:
    pass
`;

/** Prints 60 lines of text per second. */
const LINES = `
import time
due = time.monotonic()
row = 0
ready()
while True:
    print(f"line {row}: " + "text that scrolls up the screen " * 4, flush=True)
    row += 1
    due += 1 / 60
    time.sleep(max(0, due - time.monotonic()))
`;

/** Lines of text, a noisy video, and windows that move. */
const MIX = `
class Window(FullScreen):
    row = 0
    def started(self):
        self.images = noise(320, 180, 12)
        self.windows = []
        for color in ("#804040", "#408040", "#404080"):
            window = QWidget()
            window.setWindowFlags(Qt.X11BypassWindowManagerHint)
            window.setStyleSheet("background: " + color)
            window.resize(220, 160)
            window.show()
            self.windows.append(window)
        self.repeat(33, self.step)
    def step(self):
        self.row += 1
        for index, window in enumerate(self.windows):
            window.move((7 * self.row + 300 * index) % 1000, 380 + 60 * index)
        self.update()
    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(0, 0, 640, 720, Qt.white)
        for line in range(40):
            painter.drawText(8, 18 * line + 16, f"line {self.row + line}: " + "text that scrolls " * 3)
        if self.row:
            painter.drawImage(700, 100, self.images[self.row % 12])
`;

/** A noisy video, 30 images per second. */
const video = (x, y, width, height) => `
class Window(FullScreen):
    row = 0
    def started(self):
        self.images = noise(${width}, ${height}, 12)
        self.repeat(33, self.step)
    def step(self):
        self.row += 1
        self.update(${x}, ${y}, ${width}, ${height})
    def paintEvent(self, event):
        if self.row:
            QPainter(self).drawImage(${x}, ${y}, self.images[self.row % 12])
`;

/** A small square whose color changes 30 times per second. */
const SMALL = `
class Window(FullScreen):
    row = 0
    def started(self):
        self.repeat(33, self.step)
    def step(self):
        self.row += 1
        self.update(600, 300, 24, 24)
    def paintEvent(self, event):
        QPainter(self).fillRect(600, 300, 24, 24, QColor((37 * self.row) % 256, 64, 128))
`;

const WINDOWS = { mix: MIX, video: video(320, 180, 640, 360), "full-screen video": video(0, 0, 1280, 720), small: SMALL };

/**
 * Starts a scene. `scroll` fills a screen of any size, the others are for 1280x720 pixels.
 *
 * @param {import("orgo-sdk").Computer} computer
 * @param {"scroll" | "mix" | "video" | "full-screen video" | "small"} name
 */
export const startScene = (computer, name) =>
  name === "scroll"
    ? start(computer, "scene", LINES, "xterm -fullscreen -fn fixed -e python3")
    : openWindow(computer, "scene", WINDOWS[name]);
