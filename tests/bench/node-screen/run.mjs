// Measures the live screen in Node: `npm run bench -- node-screen [SECONDS [ROUNDS]]`.
import { cpus, loadavg } from "node:os";
import { argv } from "node:process";
import { createComputer } from "../../support/computer.mjs";
import { startDesktop } from "../../support/desktop.mjs";
import { until } from "../../support/wait.mjs";
import { median, quantile } from "../measure.mjs";

process.env.ORGO_BINDING = "native";
const sdk = await import("orgo-sdk");

const SECONDS = Number(argv[2] ?? 10);
const ROUNDS = Number(argv[3] ?? 200);

/** A window of 1280x720 pixels in which lines of text scroll, 60 times a second. */
const SCROLL = `
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QPainter
from PyQt5.QtWidgets import QApplication, QWidget
class Window(QWidget):
    row = 0
    def step(self):
        self.row += 1
        self.scroll(0, -18)
    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(event.rect(), Qt.white)
        for line in range(event.rect().top() // 18, event.rect().bottom() // 18 + 1):
            painter.drawText(8, 18 * line + 14, f"line {self.row + line}: " + "text that scrolls up the screen " * 4)
application = QApplication([])
window = Window()
window.setWindowFlags(Qt.X11BypassWindowManagerHint)
window.setGeometry(application.primaryScreen().geometry())
window.show()
timer = QTimer()
timer.timeout.connect(window.step)
timer.start(16)
application.exec()
`;

const desktop = await startDesktop();
try {
  const { computer } = await createComputer(sdk, desktop.options);
  console.log(`${cpus().length} cores, load ${loadavg()[0].toFixed(1)}, ${SECONDS} s, ${ROUNDS} rounds`);
  const screen = await computer.screen();
  console.table(await timeImages(computer, screen));
  console.table([await measureScroll(computer, screen)]);
  await screen.close();
} finally {
  await desktop.stop();
}

/** Measures images of an unchanged screen, next to a call of the API in the same rounds. */
async function timeImages(computer, screen) {
  await screen.settled({ quiet: 1_000, timeout: 60_000 });
  const ways = {
    "screen.screenshot, png": () => screen.screenshot(),
    "screen.screenshot, jpeg": () => screen.screenshot({ format: "jpeg" }),
    "screen.screenshot, rgba": () => screen.screenshot({ format: "rgba" }),
    "computer.screenshot, png": () => computer.screenshot(),
  };
  const rows = [];
  for (const [what, take] of Object.entries(ways)) {
    const began = performance.now();
    const { data } = await take();
    const first = performance.now() - began;
    const times = [];
    for (let round = 0; round < ROUNDS; round++) {
      const began = performance.now();
      await take();
      times.push(performance.now() - began);
    }
    const ms = (value) => Number(value.toFixed(3));
    rows.push({
      what,
      kB: Math.round(data.length / 1000),
      "first ms": ms(first),
      "median ms": ms(median(times)),
      "p95 ms": ms(quantile(times, 0.95)),
    });
  }
  return rows;
}

/** Measures the CPU time of this process while the whole screen scrolls, and a consumer reads every change. */
async function measureScroll(computer, screen) {
  await computer.bash(`cat > /tmp/scroll.py <<'END'${SCROLL}END\nsetsid python3 /tmp/scroll.py >/tmp/log 2>&1 &`);
  const received = () => screen.counters.received;
  const reading = (async () => {
    for await (const _ of screen);
  })();
  const start = received();
  await until("the window", () => received() > start + 60, 60_000);
  const [cpu, updates, began] = [process.cpuUsage(), received(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - began) / 1000;
  await screen.close();
  await reading;
  return {
    what: "scrolling, 1280x720",
    "updates/s": Number(((received() - updates) / seconds).toFixed(1)),
    "% of a core": Number(((user + system) / 1e4 / seconds).toFixed(1)),
    load: Number(loadavg()[0].toFixed(1)),
  };
}
